"""Rules of eligibility: each fires on its fact; findings stop until they are overridden with a reason."""

from __future__ import annotations

import pytest

from vertebro_clinic.core.errors import ConditionsUnmet
from vertebro_clinic.pathway.domain.eligibility import CHECKS, decide_eligibility, findings_for
from vertebro_clinic.pathway.domain.policies import approve_rule, limit
from vertebro_clinic.pathway.domain.records import sign_record
from vertebro_clinic.pathway.domain.transitions import move_case
from vertebro_clinic.pathway.enums import Event, Severity, Stage
from vertebro_clinic.pathway.models import (
    Consultation,
    Eligibility,
    ImagingReview,
    LevelFinding,
    Patient,
    Referral,
)
from vertebro_clinic.pathway.rules import eligibility_rules
from vertebro_clinic.start.demo.journey import walk_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(world, cast):
    return walk_to(Stage.ELIGIBILITY, case_id=world.dana.pk, cast=cast)


def _names(case) -> set[str]:
    return {row["rule"] for row in findings_for(case)}


def test_every_rule_has_a_check_a_source_and_words_in_both_languages() -> None:
    rules = eligibility_rules()

    assert set(rules) == set(CHECKS)
    assert all(rule.source and rule.words["en"] and rule.words["es"] for rule in rules.values())


def test_a_clean_case_gets_information_only(case) -> None:
    assert _names(case) == {"fresh"}


@pytest.mark.parametrize(
    ("model", "values", "rule"),
    [
        (Consultation, {"pain_at_level": "no"}, "not_this_pain"),
        (Consultation, {"infection_now": "unknown"}, "infection"),
        (Consultation, {"pregnancy": "yes"}, "pregnancy"),
        (Consultation, {"bleeding_disorder": "correctable"}, "bleeding"),
        (Consultation, {"cement_allergy": ""}, "cement_allergy"),
        (Consultation, {"can_lie_prone": "no"}, "prone"),
        (Consultation, {"neuro_normal": "no"}, "cord"),
        (Consultation, {"pain_now": 4}, "pain_low"),
        (Consultation, {"course": "better"}, "improving"),
        (Consultation, {"conservative_weeks": 1}, "short_trial"),
        (Consultation, {"radicular": "yes"}, "radicular"),
        (Consultation, {"severe_heart_lung": "yes"}, "heart_lung"),
        (ImagingReview, {"unstable": "unknown"}, "unstable"),
        (ImagingReview, {"malignancy_signs": "yes"}, "malignancy"),
        (LevelFinding, {"oedema": "no"}, "healed"),
        (LevelFinding, {"posterior_wall": "defect"}, "posterior_wall"),
        (LevelFinding, {"height_loss_percent": 80}, "collapse"),
        (LevelFinding, {"level": "T3"}, "upper_thoracic"),
        (Referral, {"onset_date": "2026-01-01"}, "old_with_oedema"),
        (Patient, {"birth_date": "2012-01-01"}, "age"),
    ],
)
def test_a_rule_fires_on_its_fact(case, model, values, rule: str) -> None:
    rows = model.objects.filter(pk=case.patient_id) if model is Patient else model.objects.filter(case=case)
    rows.update(**values)
    case = type(case).objects.select_related("patient", "site").get(pk=case.pk)

    assert rule in _names(case)


def test_a_stopping_finding_needs_a_reason(case, cast) -> None:
    Consultation.objects.filter(case=case).update(infection_now="yes")
    common = {"actor": cast.radiologist, "case_id": case.pk, "values": {}}
    saved = decide_eligibility(**common, overrides={}, version=0)
    with pytest.raises(ConditionsUnmet, match="Active infection"):
        move_case(actor=cast.radiologist, case_id=case.pk, event=Event.ACCEPT_ELIGIBILITY)

    decide_eligibility(
        **common, overrides={"infection": "Treated, CRP normal.", "made_up": "x"}, version=saved.version
    )

    kept = Eligibility.objects.get(case=case)
    assert kept.overrides == {"infection": "Treated, CRP normal."}
    assert kept.findings[0]["severity"] == Severity.BLOCK


def test_a_site_switches_a_rule_off_and_changes_a_limit(case, act_as) -> None:
    approve_rule(actor=act_as("alice"), site=case.site, rule="fresh", is_on=False)
    approve_rule(actor=act_as("ada"), site=case.site, rule="inr_most", values={"value": 1.3})

    assert _names(case) == set()
    assert limit("inr_most", case.site) == 1.3


def test_tumours_need_the_board(case, cast) -> None:
    ImagingReview.objects.filter(case=case).update(malignancy_signs="yes")
    decide_eligibility(
        actor=cast.radiologist, case_id=case.pk, values={"mdt": "not_needed"}, overrides={}, version=0
    )

    with pytest.raises(ConditionsUnmet, match="tumour board"):
        move_case(actor=cast.radiologist, case_id=case.pk, event=Event.ACCEPT_ELIGIBILITY)


def test_without_facts_the_rules_stop_instead_of_saying_nothing(world) -> None:
    assert [(row["rule"], row["severity"]) for row in findings_for(world.dana)] == [("incomplete", "block")]


def test_a_fact_that_changes_after_the_decision_stops_it(case, cast) -> None:
    saved = decide_eligibility(
        actor=cast.radiologist, case_id=case.pk, values={"mdt": "not_needed"}, overrides={}, version=0
    )
    sign_record(actor=cast.radiologist, case_id=case.pk, model=Eligibility, version=saved.version)
    Consultation.objects.filter(case=case).update(pregnancy="yes")

    with pytest.raises(ConditionsUnmet, match="changed since the decision"):
        move_case(actor=cast.radiologist, case_id=case.pk, event=Event.ACCEPT_ELIGIBILITY)
