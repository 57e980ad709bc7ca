"""The transition table: each pair in it moves, each pair not in it refuses."""

from __future__ import annotations

import pytest

from vertebro_clinic.core.actor import SYSTEM
from vertebro_clinic.core.errors import (
    ChangedMeanwhile,
    ConditionsUnmet,
    NoSuchTransition,
    NotAllowed,
    NotVisible,
)
from vertebro_clinic.core.models import AuditEntry
from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.domain.transitions import (
    EVENT_ROLES,
    NEEDS_REASON,
    TRANSITIONS,
    move_case,
    offers,
)
from vertebro_clinic.pathway.enums import Event, Stage
from vertebro_clinic.pathway.models import Case, Move
from vertebro_clinic.start.demo.journey import LINE, walk_to

pytestmark = pytest.mark.django_db
ABSENT = [(stage, event) for stage in Stage for event in Event if (stage, event) not in TRANSITIONS]


def test_the_table_has_the_size_that_was_thought_through() -> None:
    assert len(Stage) == 27
    assert len(TRANSITIONS) + len(ABSENT) == len(Stage) * len(Event)


@pytest.mark.parametrize("stage", list(Stage))
def test_every_pair_not_in_the_table_refuses(world, stage: Stage) -> None:
    Case.objects.filter(pk=world.dana.pk).update(stage=stage)

    for event in [event for at, event in ABSENT if at == stage]:
        with pytest.raises(NoSuchTransition):
            move_case(actor=SYSTEM, case_id=world.dana.pk, event=event, reason="test")

    assert Case.objects.get(pk=world.dana.pk).stage == stage


def test_every_stage_is_reached_and_every_stage_but_closed_is_left() -> None:
    reached = {step.to for step in TRANSITIONS.values()} | {Stage.REFERRED}
    left = {stage for stage, _event in TRANSITIONS}

    assert reached == set(Stage)
    assert left == set(Stage)


def test_every_event_has_roles_and_a_place() -> None:
    assert set(EVENT_ROLES) == set(Event)
    assert {event for _stage, event in TRANSITIONS} == set(Event)


def test_the_main_line_leads_from_referral_to_follow_up(world, cast) -> None:
    case = walk_to(Stage.FOLLOW_UP, case_id=world.dana.pk, cast=cast)

    walked = list(Move.objects.filter(case=case).values_list("from_stage", flat=True))
    assert walked == [stage for stage, _step in LINE if stage != Stage.OTHER_IMAGING]


@pytest.mark.parametrize("stage", [stage for stage, _step in LINE])
def test_without_its_records_no_stage_moves_forward(world, stage: Stage) -> None:
    """A case put at a stage with an empty record cannot go on along the main line."""
    Case.objects.filter(pk=world.dana.pk).update(stage=stage)
    forward = [event for at, event in TRANSITIONS if at == stage and event not in NEEDS_REASON]

    assert forward
    for event in forward:
        with pytest.raises(ConditionsUnmet) as caught:
            move_case(actor=SYSTEM, case_id=world.dana.pk, event=event)
        assert all(str(item.words).strip() for item in caught.value.missing)


@pytest.mark.parametrize("event", sorted(NEEDS_REASON))
def test_events_that_leave_the_line_ask_why(world, event: Event) -> None:
    stage = next(at for at, its in TRANSITIONS if its == event)
    Case.objects.filter(pk=world.dana.pk).update(stage=stage)

    with pytest.raises(ConditionsUnmet) as caught:
        move_case(actor=SYSTEM, case_id=world.dana.pk, event=event)

    assert [item.code for item in caught.value.missing] == ["reason"]


def test_a_move_is_logged_with_its_reason(world, act_as) -> None:
    move_case(
        actor=act_as("alice"), case_id=world.dana.pk, event=Event.REFER_URGENTLY, reason="Leg weakness."
    )

    entry = AuditEntry.objects.order_by("-sequence").filter(action="case.refer_urgently")[0]
    assert entry.detail == {"from": "referred", "to": "urgent", "reason": "Leg weakness."}
    assert Case.objects.get(pk=world.dana.pk).is_urgent


def test_an_outsider_does_not_see_the_case_and_a_nurse_does_not_decide(world, act_as) -> None:
    with pytest.raises(NotVisible):
        move_case(actor=act_as("charlie"), case_id=world.dana.pk, event=Event.CANCEL, reason="x")
    with pytest.raises(NotAllowed):
        move_case(actor=act_as("bob"), case_id=world.dana.pk, event=Event.TREAT_CONSERVATIVELY, reason="x")
    with pytest.raises(NotAllowed):
        move_case(actor=act_as("dana"), case_id=world.dana.pk, event=Event.CANCEL, reason="x")


def test_a_case_that_moved_meanwhile_is_not_moved_again(world, act_as) -> None:
    seen = world.dana.version
    move_case(actor=act_as("sol"), case_id=world.dana.pk, event=Event.CANCEL, version=seen, reason="x")

    with pytest.raises(ChangedMeanwhile, match="Cancelled"):
        move_case(
            actor=act_as("bob"), case_id=world.dana.pk, event=Event.REFER_URGENTLY, version=seen, reason="x"
        )


def test_offers_say_what_is_missing(world, act_as) -> None:
    found = {offer.event: offer for offer in offers(act_as("bob"), world.dana)}

    assert set(found) == {Event.ACCEPT_REFERRAL, Event.REFER_URGENTLY, Event.CANCEL}
    assert "referral.onset_date" in {item.code for item in found[Event.ACCEPT_REFERRAL].missing}


def test_a_referrer_moves_nothing() -> None:
    assert all(Role.REFERRER not in roles for roles in EVENT_ROLES.values())
