"""Made-up patients: what is proposed, what is asked, what stops, and what a move changes."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from vertebro_clinic.preparation import (
    Fact,
    FastingRule,
    Kind,
    PatientFacts,
    SitePolicy,
    TakenMedicine,
    changes_between,
    plan_preparation,
)
from vertebro_clinic.preparation.plan import Who

ZONE = ZoneInfo("America/New_York")
START = datetime(2026, 6, 17, 10, tzinfo=ZONE)
TOLD = datetime(2026, 6, 1, 12, tzinfo=ZONE)
SITE = SitePolicy(ZONE, frozenset({"pages_aspirin", "pause_apixaban", "sir_warfarin"}))
READY = PatientFacts(
    ZONE,
    high_risk=frozenset(),
    has_driver=True,
    has_companion=True,
    may_be_pregnant=False,
    allergies=(),
    implants=(),
    has_infection_signs=False,
    egfr_ml_min=80.0,
    labs_taken=(
        ("inr", date(2026, 6, 16)),
        ("platelets", date(2026, 6, 1)),
        ("haemoglobin", date(2026, 6, 1)),
    ),
)


def plan(patient=READY, site=SITE, start=START, told=TOLD):
    return plan_preparation(start, start + timedelta(hours=1), patient, site, told=told)


def with_medicine(*names, **changes):
    return replace(READY, medicines=tuple(TakenMedicine(name) for name in names), **changes)


def test_a_patient_who_is_ready_has_nothing_that_blocks():
    assert [item.kind for item in plan().items if item.blocks] == []


def test_a_held_medicine_needs_its_prescriber_before_the_patient_is_told():
    kinds = [item.kind for item in plan(with_medicine("Eliquis")).items]

    assert kinds.index(Kind.APPROVE_HOLD) < kinds.index(Kind.LAST_DOSE) < kinds.index(Kind.RESTART)


def test_restart_hours_count_from_the_end_of_the_treatment():
    (restart,) = plan(with_medicine("Eliquis")).of_kind(Kind.RESTART)

    assert restart.due == START + timedelta(hours=49)


def test_each_ingredient_of_a_pack_is_held_on_its_own():
    site = replace(SITE, approved_holds=frozenset({"pages_aspirin", "pages_thinners"}))

    doses = plan(with_medicine("DuoPlavin"), site).of_kind(Kind.LAST_DOSE)

    assert [(item.subject, item.day) for item in doses] == [
        ("clopidogrel (DuoPlavin)", date(2026, 6, 11)),
        ("aspirin (DuoPlavin)", date(2026, 6, 9)),
    ]


@pytest.mark.parametrize("fact", list(Fact))
def test_a_high_risk_situation_stops_and_asks_the_specialist(fact):
    items = plan(with_medicine("aspirin", high_risk=frozenset({fact})))

    assert items.of_kind(Kind.LAST_DOSE) == ()
    (item,) = items.of_kind(Kind.ASK_SPECIALIST)
    assert item.blocks


def test_a_risk_that_nobody_asked_about_is_not_taken_for_none():
    items = plan(with_medicine("aspirin", high_risk=None))

    assert items.of_kind(Kind.LAST_DOSE) == ()
    assert items.of_kind(Kind.ASK_PERSON)[0].blocks


@pytest.mark.parametrize("name", ["mystery pill", "clopidogrel", "Ozempic", "insulin"])
def test_what_no_approved_row_covers_asks_a_person(name):
    items = plan(with_medicine(name))

    assert items.of_kind(Kind.LAST_DOSE) == ()
    assert items.of_kind(Kind.ASK_PERSON)[0].blocks


def test_pain_medicine_and_bone_medicine_go_on():
    assert plan(with_medicine("paracetamol", "tramadol", "Prolia")) == plan()


def test_too_late_to_stop_says_so():
    items = plan(with_medicine("aspirin"), told=datetime(2026, 6, 12, 9, tzinfo=ZONE))

    (item,) = items.of_kind(Kind.ASK_SPECIALIST)
    assert "too late" in item.why


def test_a_stopped_warfarin_asks_for_a_fresh_inr():
    old = (("inr", date(2026, 6, 10)), ("platelets", date(2026, 6, 1)), ("haemoglobin", date(2026, 6, 1)))

    with_warfarin = plan(with_medicine("warfarin", labs_taken=old))
    without = plan(replace(READY, labs_taken=old))

    assert [item.subject for item in with_warfarin.of_kind(Kind.LAB)] == ["inr"]
    assert without.of_kind(Kind.LAB) == ()


def test_no_driver_opens_help_with_transport():
    items = plan(replace(READY, has_driver=False))

    assert items.of_kind(Kind.TRANSPORT)[0].who is Who.SCHEDULER


def test_what_nobody_asked_is_asked():
    unknown = plan(PatientFacts(ZONE))

    blocking = {item.kind for item in unknown.items if item.blocks}
    assert {Kind.PREGNANCY, Kind.INFECTION, Kind.ALLERGY, Kind.DRIVER, Kind.COMPANION, Kind.LAB} <= blocking


def test_moving_a_booking_says_what_changed_and_whom_to_tell():
    before = plan(with_medicine("aspirin"))
    after = plan(with_medicine("aspirin"), start=START + timedelta(days=2))

    changes = {change.kind: change for change in changes_between(before, after, now=TOLD)}

    moved = changes[Kind.LAST_DOSE]
    assert (moved.before.day, moved.after.day) == (date(2026, 6, 9), date(2026, 6, 11))
    assert moved.tell == {Who.PATIENT, Who.PRESCRIBER}
    assert not any(change.too_late for change in changes.values())
    assert {Kind.FASTING, Kind.CALL, Kind.ARRIVAL} <= set(changes)
    assert Kind.IMAGES not in changes


def test_moving_a_booking_nearer_says_what_can_no_longer_be_kept():
    before = plan(with_medicine("aspirin"))
    now = datetime(2026, 6, 5, 9, tzinfo=ZONE)
    after = plan(with_medicine("aspirin"), start=START - timedelta(days=7), told=now)

    late = {change.kind for change in changes_between(before, after, now=now) if change.too_late}

    assert Kind.LAST_DOSE in late


def test_a_later_hour_of_the_same_day_keeps_the_days_and_moves_the_hours():
    site = replace(SITE, fasting=FastingRule.HOURS)
    before = plan(with_medicine("aspirin"), site)
    after = plan(with_medicine("aspirin"), site, start=START.replace(hour=14))

    kinds = {change.kind for change in changes_between(before, after, now=TOLD)}

    assert Kind.LAST_DOSE not in kinds
    assert Kind.FASTING in kinds


def test_times_of_doses_give_the_part_of_the_day():
    medicine = TakenMedicine("Eliquis", (time(8), time(20)))

    (dose,) = plan(replace(READY, medicines=(medicine,))).of_kind(Kind.LAST_DOSE)

    assert dose.last_dose.part.value == "evening"
