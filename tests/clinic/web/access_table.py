"""Who may call which address: the one table.

Each row names the people for whom it works; for everybody else it must not.

People: visitor; alice radiologist, bob nurse, sol scheduler, quinn quality lead, ada administrator, rita
the case's
referring physician and ravi another one, all at site A; charlie radiologist, nia nurse and berta
administrator at site
B; dana the patient, erik another patient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vertebro_clinic.core.actor import SYSTEM
from vertebro_clinic.core.domain.links import make_patient_link, make_sign_in_link
from vertebro_clinic.core.models import Membership, User
from vertebro_clinic.pathway.models import (
    AppointmentRequest,
    Case,
    ImagingStudy,
    LabResult,
    MedicationHold,
    RoomEvent,
    Task,
)

EVERYBODY = frozenset(
    "visitor alice bob sol quinn ada rita ravi charlie nia berta dana erik".split()  # noqa: SIM905
)
CARE = frozenset({"alice", "bob", "sol"})
STAFF = CARE | {"quinn"}
READERS = STAFF | {"rita"}
ROOM = frozenset({"alice", "bob"})
ANY_STAFF = STAFF | {"rita", "ravi", "charlie", "nia"}


@dataclass(frozen=True)
class Row:
    """One address.

    How to call it for Dana's case (or Erik's, where follow-up is needed), and for whom it works.
    """

    name: str
    people: frozenset[str]
    method: str = "get"
    where: Callable[[Case, Case], dict[str, Any]] = lambda dana, erik: {}
    data: Callable[[Case, Case], dict[str, Any]] = field(default=lambda dana, erik: {})


def _key(dana: Case, erik: Case) -> dict[str, Any]:
    return {"key": dana.key}


def _patient(dana: Case, erik: Case) -> dict[str, Any]:
    return {"pk": dana.patient_id}


def _study(dana: Case, erik: Case) -> dict[str, Any]:
    row = ImagingStudy.objects.create(case=dana, kind="xray")
    return {"key": dana.key, "slug": "studies", "pk": row.pk}


def _lab(dana: Case, erik: Case) -> dict[str, Any]:
    row = LabResult.objects.create(case=dana, kind="inr", value=1, taken_on="2026-01-01")
    return {"key": dana.key, "slug": "labs", "pk": row.pk}


def _hold(dana: Case, erik: Case) -> dict[str, Any]:
    row = MedicationHold.objects.create(
        case=dana, medicine=dana.patient.medicines.first(), approved_by_name="Dr. Own"
    )
    return {"key": dana.key, "slug": "holds", "pk": row.pk}


def _room_event(dana: Case, erik: Case) -> dict[str, Any]:
    import uuid

    row = RoomEvent.objects.create(
        case=dana, at=dana.stage_since, kind="note", token=uuid.uuid4(), content={"words": "x"}
    )
    return {"key": dana.key, "pk": row.pk}


def _task(dana: Case, erik: Case) -> dict[str, Any]:
    task = Task.objects.create(case=dana, kind="question", role="nurse", due_at=dana.stage_since)
    return {"key": dana.key, "pk": task.pk}


def _questionnaire(dana: Case, erik: Case) -> dict[str, Any]:
    return {
        "pk": Task.objects.create(case=dana, kind="outcome_1m", role="quality", due_at=dana.stage_since).pk
    }


def _token(dana: Case, erik: Case) -> dict[str, Any]:
    return {"token": make_patient_link(actor=SYSTEM, patient_id=dana.patient_id)}


def _sign_in(dana: Case, erik: Case) -> dict[str, Any]:
    return {"token": make_sign_in_link(actor=SYSTEM, user=User.objects.get(email="bob@test.example"))}


def _run(dana: Case, erik: Case) -> dict[str, Any]:
    from django.conf import settings
    from django.utils import timezone

    from vertebro_clinic.runs.models import Job, Run

    job = Job.objects.create(key=f"test:{dana.pk}", kind="run", case=dana, queued_at=timezone.now())
    folder = settings.CASES_ROOT / str(dana.key)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text("<!doctype html><title>Report</title>", encoding="utf-8")
    run = Run.objects.create(
        job=job,
        case=dana,
        folder=str(dana.key),
        manifest_hash="0" * 64,
        engine_version="0",
        made_at=timezone.now(),
    )
    return {"key": dana.key, "run": run.public_id}


def _token_data(dana: Case, erik: Case) -> dict[str, Any]:
    import uuid

    return {"kind": "vitals", "pulse": "70", "token": str(uuid.uuid4())}


TABLE = (
    Row("start", EVERYBODY),
    Row("choose_language", EVERYBODY, "post", data=lambda d, e: {"language": "es"}),
    Row("request_appointment", EVERYBODY),
    Row("request_sent", EVERYBODY),
    Row("education", EVERYBODY),
    Row("education_page", EVERYBODY, where=lambda d, e: {"slug": "how"}),
    Row("sign_in_link", EVERYBODY, where=_sign_in),
    Row("patient_enter", EVERYBODY, where=_token),
    Row("components", STAFF | {"ada", "berta", "charlie", "nia"}),
    Row("search", ANY_STAFF),
    Row("stage_list", ANY_STAFF, where=lambda d, e: {"stage": "referred"}),
    Row("my_page", frozenset({"dana", "erik"})),
    Row("my_audit", frozenset({"dana", "erik"})),
    Row("my_leave", frozenset({"dana", "erik"}), "post"),
    Row("my_question", frozenset({"dana"}), "post", _key, lambda d, e: {"question": "When may I swim?"}),
    Row("my_questionnaire", frozenset({"dana"}), where=_questionnaire),
    Row("requests", CARE | {"charlie", "nia"}),
    Row("request", CARE, where=lambda d, e: {"pk": AppointmentRequest.objects.get().pk}),
    Row("refer", CARE | {"charlie", "nia", "rita", "ravi"}),
    Row("patient", READERS, where=_patient),
    Row("patient_edit", CARE, where=_patient),
    Row("patient_add", CARE, where=lambda d, e: {"pk": d.patient_id, "what": "allergy"}),
    Row("patient_link", CARE, "post", _patient),
    Row("patient_audit", frozenset({"quinn"}), where=_patient),
    Row("emergency", ROOM | {"charlie", "nia"}),
    Row("glass_review", frozenset({"quinn"})),
    Row("case", READERS, where=_key),
    Row("move", CARE, "post", _key, lambda d, e: {"event": "cancel", "reason": "x"}),
    Row("step", READERS, where=lambda d, e: {"key": d.key, "slug": "referral"}),
    Row("row_add", CARE, where=lambda d, e: {"key": d.key, "slug": "labs"}),
    Row("row", CARE, where=_study),
    Row("row_retire", CARE, "post", _lab, lambda d, e: {"reason": "typed twice"}),
    Row("region_move", ROOM, "post", _hold, lambda d, e: {"event": "continue"}),
    Row("room", READERS, where=_key),
    Row(
        "tick",
        ROOM,
        "post",
        lambda d, e: {"key": d.key, "checklist": "sign_in"},
        lambda d, e: {"item": "iv", "done": "1"},
    ),
    Row("room_event", ROOM, "post", _key, _token_data),
    Row("strike", ROOM, "post", _room_event, lambda d, e: {"reason": "wrong patient"}),
    Row("followup", READERS, where=_key),
    Row("task", STAFF, where=_task),
    Row("runs", READERS, where=_key),
    Row("run_report", READERS, where=_run),
    Row("staff", frozenset({"ada", "berta"})),
    Row(
        "staff_link",
        frozenset({"ada"}),
        "post",
        lambda d, e: {"pk": User.objects.get(email="bob@test.example").pk},
    ),
    Row(
        "staff_end",
        frozenset({"ada"}),
        "post",
        lambda d, e: {"pk": Membership.objects.get(user__email="bob@test.example").pk},
    ),
    Row("rules", frozenset({"alice", "quinn", "ada", "charlie", "berta"})),
    Row(
        "rule_approve", frozenset({"alice", "ada"}), "post", lambda d, e: {"site": d.site_id, "rule": "fresh"}
    ),
)
