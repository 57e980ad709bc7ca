"""The pathway: ``TRANSITIONS[(stage, event)] = (next_stage, guard, audit_code)``.

Nothing else assigns a stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.domain import audit
from vertebro_clinic.core.errors import (
    ChangedMeanwhile,
    ConditionsUnmet,
    Missing,
    NoSuchTransition,
    NotAllowed,
)
from vertebro_clinic.core.roles import ActorKind, Role
from vertebro_clinic.pathway.domain import effects
from vertebro_clinic.pathway.domain.guards import closing, decision, imaging, preparation, referral, treatment
from vertebro_clinic.pathway.domain.queries.visible import lock_case, subject_of
from vertebro_clinic.pathway.domain.records import require_writer
from vertebro_clinic.pathway.enums import Event as E
from vertebro_clinic.pathway.enums import Stage as S
from vertebro_clinic.pathway.models import Case, Move

Guard = Callable[[Case], list[Missing]]
free: Guard = closing.nothing_missing


class Transition(NamedTuple):
    """Where an event leads, what must hold, and the audit log's word for it."""

    to: S
    guard: Guard
    audit_code: str


def _t(to: S, guard: Guard, event: E) -> Transition:
    return Transition(to, guard, f"case.{event}")


_MAIN: dict[tuple[S, E], tuple[S, Guard]] = {
    (S.REFERRED, E.ACCEPT_REFERRAL): (S.XRAY, referral.referral_complete),
    (S.XRAY, E.CONFIRM_FRACTURE): (S.MRI_SAFETY, referral.fracture_likely),
    (S.MRI_SAFETY, E.CLEAR_FOR_MRI): (S.MRI, imaging.mri_is_safe),
    (S.MRI_SAFETY, E.CHOOSE_OTHER_IMAGING): (S.OTHER_IMAGING, imaging.mri_is_impossible),
    (S.MRI, E.CHOOSE_OTHER_IMAGING): (S.OTHER_IMAGING, free),
    (S.MRI, E.REPORT_IMAGING): (S.IMAGING_REVIEW, imaging.mri_is_reported),
    (S.OTHER_IMAGING, E.REPORT_IMAGING): (S.IMAGING_REVIEW, imaging.other_imaging_is_reported),
    (S.IMAGING_REVIEW, E.CONFIRM_LEVELS): (S.CONSULTATION, imaging.levels_confirmed),
    (S.CONSULTATION, E.COMPLETE_CONSULTATION): (S.ELIGIBILITY, decision.consultation_complete),
    (S.ELIGIBILITY, E.ACCEPT_ELIGIBILITY): (S.PROCEDURE_CHOICE, decision.eligibility_decided),
    (S.PROCEDURE_CHOICE, E.CHOOSE_PROCEDURE): (S.CONSENT, decision.procedure_chosen),
    (S.CONSENT, E.SIGN_CONSENT): (S.SCHEDULING, decision.consent_signed),
    (S.SCHEDULING, E.BOOK): (S.PREPARATION, preparation.booked),
    (S.PREPARATION, E.START_PRECALL): (S.PRECALL, preparation.preparation_settled),
    (S.PRECALL, E.COMPLETE_PRECALL): (S.READY, preparation.precall_done),
    (S.PRECALL, E.REPREPARE): (S.PREPARATION, free),
    (S.READY, E.REPREPARE): (S.PREPARATION, free),
    (S.READY, E.ARRIVE): (S.CHECK_IN, preparation.booked),
    (S.CHECK_IN, E.PASS_CHECK_IN): (S.SIGN_IN, treatment.check_in_passed),
    (S.CHECK_IN, E.RETURN_TO_RADIOLOGIST): (S.CONSULTATION, free),
    (S.SIGN_IN, E.COMPLETE_SIGN_IN): (S.TIME_OUT, treatment.sign_in_complete),
    (S.TIME_OUT, E.COMPLETE_TIME_OUT): (S.PROCEDURE, treatment.time_out_complete),
    (S.PROCEDURE, E.FINISH_PROCEDURE): (S.PRONE, treatment.levels_finished),
    (S.PRONE, E.TURN_SUPINE): (S.RECOVERY, treatment.cement_set),
    (S.RECOVERY, E.DISCHARGE): (S.FOLLOW_UP, treatment.may_go_home),
    (S.PRONE, E.ADMIT): (S.ADMITTED, free),
    (S.RECOVERY, E.ADMIT): (S.ADMITTED, free),
    (S.ADMITTED, E.DISCHARGE): (S.FOLLOW_UP, treatment.may_go_home),
    (S.FOLLOW_UP, E.CLOSE): (S.CLOSED, closing.all_settled),
    (S.FOLLOW_UP, E.LOOK_AGAIN): (S.IMAGING_REVIEW, closing.pain_reported),
    (S.CLOSED, E.LOOK_AGAIN): (S.IMAGING_REVIEW, closing.pain_reported),
    (S.CONSERVATIVE, E.LOOK_AGAIN): (S.IMAGING_REVIEW, free),
    (S.CONSERVATIVE, E.CLOSE): (S.CLOSED, closing.all_settled),
    (S.URGENT, E.LOOK_AGAIN): (S.IMAGING_REVIEW, free),
    (S.URGENT, E.CLOSE): (S.CLOSED, closing.all_settled),
    (S.POSTPONED, E.REBOOK): (S.SCHEDULING, decision.consent_signed),
    (S.POSTPONED, E.LOOK_AGAIN): (S.IMAGING_REVIEW, free),
    (S.CANCELLED, E.REOPEN): (S.REFERRED, free),
    (S.CANCELLED, E.CLOSE): (S.CLOSED, closing.medicines_restarted),
}

_BEFORE_DECISION = (
    S.REFERRED,
    S.XRAY,
    S.MRI_SAFETY,
    S.MRI,
    S.OTHER_IMAGING,
    S.IMAGING_REVIEW,
    S.CONSULTATION,
    S.ELIGIBILITY,
    S.PROCEDURE_CHOICE,
    S.CONSENT,
)
_BOOKED = (S.SCHEDULING, S.PREPARATION, S.PRECALL, S.READY, S.CHECK_IN, S.SIGN_IN, S.TIME_OUT)


def _table() -> dict[tuple[S, E], Transition]:
    table = {pair: _t(to, guard, pair[1]) for pair, (to, guard) in _MAIN.items()}
    for stage in _BEFORE_DECISION:
        table[stage, E.TREAT_CONSERVATIVELY] = _t(
            S.CONSERVATIVE, referral.no_red_flag_open, E.TREAT_CONSERVATIVELY
        )
    for stage in (*_BEFORE_DECISION, *_BOOKED, S.CONSERVATIVE, S.POSTPONED):
        table[stage, E.REFER_URGENTLY] = _t(S.URGENT, free, E.REFER_URGENTLY)
        if stage != S.POSTPONED:
            table[stage, E.CANCEL] = _t(S.CANCELLED, free, E.CANCEL)
    for stage in _BOOKED:
        table[stage, E.POSTPONE] = _t(S.POSTPONED, free, E.POSTPONE)
        if stage not in (S.SIGN_IN, S.TIME_OUT):
            table[stage, E.TREAT_CONSERVATIVELY] = _t(S.CONSERVATIVE, free, E.TREAT_CONSERVATIVELY)
    table[S.POSTPONED, E.CANCEL] = _t(S.CANCELLED, free, E.CANCEL)
    return table


TRANSITIONS: dict[tuple[S, E], Transition] = _table()

_RADIOLOGIST = frozenset({Role.RADIOLOGIST})
_ROOM = frozenset({Role.NURSE, Role.RADIOLOGIST})
_OFFICE = frozenset({Role.SCHEDULER, Role.NURSE, Role.RADIOLOGIST})
EVENT_ROLES: dict[E, frozenset[Role]] = {
    E.ACCEPT_REFERRAL: _OFFICE,
    E.CONFIRM_FRACTURE: _ROOM,
    E.CLEAR_FOR_MRI: _ROOM,
    E.CHOOSE_OTHER_IMAGING: _ROOM,
    E.REPORT_IMAGING: _OFFICE,
    E.CONFIRM_LEVELS: _RADIOLOGIST,
    E.COMPLETE_CONSULTATION: _RADIOLOGIST,
    E.ACCEPT_ELIGIBILITY: _RADIOLOGIST,
    E.CHOOSE_PROCEDURE: _RADIOLOGIST,
    E.SIGN_CONSENT: _RADIOLOGIST,
    E.BOOK: _OFFICE,
    E.START_PRECALL: frozenset({Role.SCHEDULER, Role.NURSE}),
    E.COMPLETE_PRECALL: frozenset({Role.NURSE}),
    E.REPREPARE: _OFFICE,
    E.ARRIVE: _OFFICE,
    E.PASS_CHECK_IN: _ROOM,
    E.RETURN_TO_RADIOLOGIST: _ROOM,
    E.COMPLETE_SIGN_IN: _ROOM,
    E.COMPLETE_TIME_OUT: _ROOM,
    E.FINISH_PROCEDURE: _RADIOLOGIST,
    E.TURN_SUPINE: _ROOM,
    E.DISCHARGE: _ROOM,
    E.ADMIT: _RADIOLOGIST,
    E.CLOSE: frozenset({Role.NURSE, Role.RADIOLOGIST, Role.QUALITY}),
    E.LOOK_AGAIN: _ROOM,
    E.TREAT_CONSERVATIVELY: _RADIOLOGIST,
    E.REFER_URGENTLY: _ROOM,
    E.POSTPONE: _OFFICE,
    E.CANCEL: _OFFICE,
    E.REBOOK: _OFFICE,
    E.REOPEN: _OFFICE,
}

NEEDS_REASON = frozenset(
    {
        E.CHOOSE_OTHER_IMAGING,
        E.REPREPARE,
        E.RETURN_TO_RADIOLOGIST,
        E.ADMIT,
        E.LOOK_AGAIN,
        E.TREAT_CONSERVATIVELY,
        E.REFER_URGENTLY,
        E.POSTPONE,
        E.CANCEL,
        E.REOPEN,
    }
)
"""Events that leave the main line and must say why."""


def move_case(*, actor: Actor, case_id: int, event: E, version: int | None = None, reason: str = "") -> Case:
    """Move a case along one row of the table.

    Raises
    ------
    NotVisible, NotAllowed
        The person may not see the case, or their role does not do this.
    NoSuchTransition
        The stage knows no such event.
    ConditionsUnmet
        Something is missing; the error lists it in plain words.
    ChangedMeanwhile
        The case was moved since the person looked.
    """
    with transaction.atomic():
        case = lock_case(actor, case_id)
        require_writer(actor, case, EVENT_ROLES[event])
        stage = S(case.stage)
        if version is not None and case.version != version:
            raise ChangedMeanwhile(
                _("Somebody moved this case in the meantime: it is now at '%(stage)s'.")
                % {"stage": stage.label},
                case,
            )
        step = TRANSITIONS.get((stage, event))
        if step is None:
            raise NoSuchTransition(
                _("'%(event)s' is not possible at the stage '%(stage)s'.")
                % {"event": event.label, "stage": stage.label}
            )
        if event in NEEDS_REASON and not reason.strip():
            raise ConditionsUnmet([Missing("reason", _("Say why."))])
        missing = step.guard(case)
        if missing:
            raise ConditionsUnmet(missing)
        _assign(case, step.to, actor)
        Move.objects.create(
            case=case,
            at=case.stage_since,
            event=event,
            from_stage=stage,
            to_stage=step.to,
            user_id=actor.user_id,
            actor_kind=actor.kind,
            reason=reason.strip(),
        )
        audit.record(
            actor,
            step.audit_code,
            subject_of(case),
            is_write=True,
            detail={"from": str(stage), "to": str(step.to), "reason": reason.strip()},
        )
        effects.after(event, actor=actor, case=case, reason=reason.strip())
    return case


def _assign(case: Case, stage: S, actor: Actor) -> None:
    case.stage_before, case.stage = case.stage, stage
    case.stage_since = timezone.now()
    case.version += 1
    case.updated_by_id = actor.user_id
    case.save()


@dataclass(frozen=True, slots=True)
class Offer:
    """An event that this person may fire now, and what is still missing for it."""

    event: E
    to: S
    missing: tuple[Missing, ...]
    needs_reason: bool

    @property
    def is_main(self) -> bool:
        """Whether it leads forward on the main line."""
        return not self.needs_reason


def offers(actor: Actor, case: Case) -> Iterator[Offer]:
    """What this person may do with the case now, the main line first."""
    ways = [(event, step) for (stage, event), step in TRANSITIONS.items() if stage == case.stage]
    ways.sort(key=lambda way: way[0] in NEEDS_REASON)
    for event, step in ways:
        if actor.kind != ActorKind.SYSTEM:
            try:
                require_writer(actor, case, EVENT_ROLES[event])
            except NotAllowed:
                continue
        yield Offer(event, step.to, tuple(step.guard(case)), event in NEEDS_REASON)
