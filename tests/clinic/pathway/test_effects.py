"""What follows from a move by itself."""

from __future__ import annotations

import pytest

from vertebro_clinic.core.errors import ConditionsUnmet
from vertebro_clinic.pathway.domain.regions import RegionEvent, move_region
from vertebro_clinic.pathway.domain.transitions import move_case
from vertebro_clinic.pathway.enums import Event, HoldState, Stage, TaskKind
from vertebro_clinic.pathway.models import (
    AdverseEvent,
    BoneHealth,
    Booking,
    Case,
    Consent,
    Consultation,
    LevelTreatment,
    MedicationHold,
    NewPain,
    Task,
)
from vertebro_clinic.start.demo.clinic import _close
from vertebro_clinic.start.demo.journey import Story, walk_to

pytestmark = pytest.mark.django_db


def test_cancelling_opens_the_restart_of_held_medicines(world, cast) -> None:
    case = walk_to(Stage.READY, case_id=world.dana.pk, cast=cast)

    move_case(actor=cast.nurse, case_id=case.pk, event=Event.CANCEL, reason="No more pain.")

    hold = MedicationHold.objects.get(case=case)
    task = Task.objects.get(case=case, kind=TaskKind.RESTART_DRUG)
    assert (hold.state, task.hold, task.done_at) == (HoldState.RESTART_DUE, hold, None)
    with pytest.raises(ConditionsUnmet, match="Aspirin"):
        move_case(actor=cast.nurse, case_id=case.pk, event=Event.CLOSE)

    move_region(actor=cast.nurse, row=hold, event=RegionEvent.RESTART)
    assert Task.objects.get(pk=task.pk).done_at is not None
    assert move_case(actor=cast.nurse, case_id=case.pk, event=Event.CLOSE).stage == Stage.CLOSED


def test_postponing_frees_the_booking_and_keeps_the_consent(world, cast) -> None:
    case = walk_to(Stage.READY, case_id=world.dana.pk, cast=cast)

    move_case(actor=cast.nurse, case_id=case.pk, event=Event.POSTPONE, reason="Infection.")

    assert not Booking.objects.filter(case=case, is_current=True).exists()
    assert Booking.objects.get(case=case).retired_reason == "Infection."
    assert Consent.objects.filter(case=case, is_current=True).exists()
    assert move_case(actor=cast.scheduler, case_id=case.pk, event=Event.REBOOK).stage == Stage.SCHEDULING


def test_pain_gone_at_check_in_leads_back_to_the_radiologist(world, cast) -> None:
    case = walk_to(Stage.CHECK_IN, case_id=world.dana.pk, cast=cast)

    moved = move_case(
        actor=cast.nurse, case_id=case.pk, event=Event.RETURN_TO_RADIOLOGIST, reason="Pain is 2 today."
    )

    assert moved.stage == Stage.CONSULTATION
    assert not Consultation.objects.filter(case=case, is_current=True).exists()
    assert Consultation.objects.filter(case=case, is_current=False).exists()


def test_low_pain_stops_check_in(world, cast) -> None:
    case = walk_to(Stage.CHECK_IN, case_id=world.dana.pk, cast=cast)

    with pytest.raises(ConditionsUnmet, match="back to the radiologist"):
        walk_to(Stage.SIGN_IN, case_id=case.pk, cast=cast, story=Story(pain=3))


def test_time_out_lists_the_levels_of_the_choice(world, cast) -> None:
    case = walk_to(Stage.PROCEDURE, case_id=world.dana.pk, cast=cast, story=Story(levels=("T11", "L2")))

    assert set(LevelTreatment.objects.filter(case=case).values_list("level", flat=True)) == {"T11", "L2"}


def test_an_open_level_holds_the_end_of_the_procedure(world, cast) -> None:
    case = walk_to(Stage.PROCEDURE, case_id=world.dana.pk, cast=cast)

    with pytest.raises(ConditionsUnmet, match="L1: the outcome is open"):
        move_case(actor=cast.radiologist, case_id=case.pk, event=Event.FINISH_PROCEDURE)


def test_going_home_plans_calls_visit_questionnaires_and_bone_health(world) -> None:
    kinds = set(Task.objects.filter(case=world.erik, done_at=None).values_list("kind", flat=True))

    assert kinds == {
        TaskKind.CALL_DAY_1,
        TaskKind.CALL_WEEK_2,
        TaskKind.VISIT_WEEK_2,
        TaskKind.OUTCOME_1M,
        TaskKind.OUTCOME_3M,
        TaskKind.OUTCOME_6M,
        TaskKind.OUTCOME_12M,
    }
    assert BoneHealth.objects.get(case=world.erik).state == "to_refer"


def test_a_case_closes_when_all_is_settled(world, cast) -> None:
    with pytest.raises(ConditionsUnmet, match="Bone health"):
        move_case(actor=cast.quality, case_id=world.erik.pk, event=Event.CLOSE)

    _close(world.erik, cast)

    assert Case.objects.get(pk=world.erik.pk).stage == Stage.CLOSED


def test_an_open_adverse_event_keeps_a_case_open(world, cast) -> None:
    AdverseEvent.objects.create(case=world.erik, happened_at=world.erik.stage_since, kind="leak")

    with pytest.raises(ConditionsUnmet, match="adverse event"):
        _close(world.erik, cast)


def test_new_pain_opens_a_new_look(world, cast) -> None:
    with pytest.raises(ConditionsUnmet, match="No new pain"):
        move_case(actor=cast.nurse, case_id=world.erik.pk, event=Event.LOOK_AGAIN, reason="New pain")
    NewPain.objects.create(case=world.erik, reported_at=world.erik.stage_since, description="higher up")

    moved = move_case(actor=cast.nurse, case_id=world.erik.pk, event=Event.LOOK_AGAIN, reason="New pain")

    assert (moved.stage, moved.round) == (Stage.IMAGING_REVIEW, 2)
    assert not LevelTreatment.objects.filter(case=moved, is_current=True).exists()
    assert LevelTreatment.objects.filter(case=moved).count() == 2


def test_conservative_treatment_is_reviewed_and_bones_are_treated_all_the_same(world, cast) -> None:
    move_case(
        actor=cast.radiologist, case_id=world.dana.pk, event=Event.TREAT_CONSERVATIVELY, reason="Settling."
    )

    assert Task.objects.filter(case=world.dana, kind=TaskKind.REVIEW_CONSERVATIVE).exists()
    assert BoneHealth.objects.filter(case=world.dana).exists()
