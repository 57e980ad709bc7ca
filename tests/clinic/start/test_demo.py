"""The demo: the same people every time, every stage, dates of today, a sound audit log."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.utils import timezone

from vertebro_clinic.core.domain.audit import check_chain
from vertebro_clinic.core.models import Site
from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.enums import Stage
from vertebro_clinic.pathway.models import AppointmentRequest, Booking, Case, Patient
from vertebro_clinic.start.demo.clinic import fill_demo
from vertebro_clinic.start.demo.journey import walk_to
from vertebro_clinic.start.demo.report import attach_demo_report

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def _fill() -> list[tuple[str, str, str]]:
    """Fill beside what stands, tell who came, and take it back."""
    before = set(Patient.objects.values_list("pk", flat=True))
    fill_demo("a-demo-password", seed=3)
    cases = Case.objects.exclude(patient_id__in=before).select_related("patient", "site").order_by("pk")
    return [(case.patient.name, case.patient.birth_date.isoformat(), case.stage) for case in cases]


def test_the_demo_stands_at_every_stage_and_is_the_same_each_time() -> None:
    told = []
    for _ in range(2):
        with transaction.atomic():
            told.append(_fill())
            assert {role for _n, _b, role in told[-1]} == set(Stage)
            assert len(told[-1]) >= 38
            assert check_chain().problems == ()
            demo_sites = Site.objects.filter(name__startswith="X-Ray Associates")
            assert demo_sites.count() == 2
            for site in demo_sites:
                assert set(site.memberships.values_list("role", flat=True)) == set(Role)
            waiting = Case.objects.filter(site__in=demo_sites, stage=Stage.READY)
            assert Booking.objects.filter(
                case__in=waiting, is_current=True, starts_at__gt=timezone.now()
            ).exists()
            assert AppointmentRequest.objects.filter(site__in=demo_sites).count() == 3
            transaction.set_rollback(True)

    assert told[0] == told[1]


def test_a_case_folder_of_the_engine_lands_on_a_patient_s_record(
    settings, tmp_path, sign_in, world, cast
) -> None:
    settings.CASES_ROOT = tmp_path / "cases"
    folder = tmp_path / "case"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"vertebro_version": "9.9"}', encoding="utf-8")
    (folder / "report.html").write_text("<!doctype html><title>Report</title>", encoding="utf-8")
    walk_to(Stage.PROCEDURE_CHOICE, case_id=world.dana.pk, cast=cast)

    case = attach_demo_report(folder)

    run = case.runs.get()
    assert (case, run.engine_version) == (world.dana, "9.9")
    page = sign_in("alice").get(f"/cases/{case.key}/runs/{run.public_id}/report/")
    assert page.status_code == 200
    assert "sandbox" in page.headers["Content-Security-Policy"]
    assert "script-src" not in page.headers["Content-Security-Policy"]
