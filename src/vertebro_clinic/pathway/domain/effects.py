"""What follows from a move by itself.

Tasks are opened, medicines to be restarted, records set aside, clocks started.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.domain import audit
from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.domain.clock import add_months, site_day_at
from vertebro_clinic.pathway.domain.queries.visible import subject_of
from vertebro_clinic.pathway.domain.records import current, retire_records
from vertebro_clinic.pathway.enums import Event, HoldState, TaskKind
from vertebro_clinic.pathway.models import (
    BoneHealth,
    Booking,
    Case,
    CheckIn,
    Consent,
    Consultation,
    DischargeCheck,
    Eligibility,
    ImagingReview,
    LevelChoice,
    LevelFinding,
    LevelTreatment,
    MedicationHold,
    Observation,
    Precall,
    Preparation,
    ProcedureChoice,
    RecoveryStay,
    SignIn,
    SignOut,
    Task,
    TimeOut,
)
from vertebro_clinic.pathway.models.base import CaseRow, Record

_DAY = (CheckIn, SignIn, TimeOut, SignOut, LevelTreatment, RecoveryStay, Observation, DischargeCheck)
_BOOKING = (Booking, Precall)
_DECISION = (Consultation, Eligibility, ProcedureChoice, LevelChoice, Consent)


def open_task(
    *, actor: Actor, case: Case, kind: TaskKind, due_at: datetime, role: Role, **fields: Any
) -> Task:
    """Open a task unless the same one is open."""
    same = Task.objects.filter(case=case, kind=kind, is_current=True, done_at=None, hold=fields.get("hold"))
    found = same.first()
    if found is not None:
        return found
    task = Task(case=case, kind=kind, due_at=due_at, role=role, created_by_id=actor.user_id, **fields)
    task.save()
    audit.record(actor, "task.open", subject_of(case), is_write=True, detail={"kind": str(kind)})
    return task


def want_bone_health(*, actor: Actor, case: Case) -> None:
    """Every patient is referred for bone health, treated by a procedure or not."""
    if not BoneHealth.objects.filter(case=case, is_current=True).exists():
        BoneHealth(case=case, created_by_id=actor.user_id).save()
        audit.record(actor, "bonehealth.open", subject_of(case), is_write=True)


def _restart_medicines(actor: Actor, case: Case) -> None:
    """Held medicines become due for restart at once; those not yet stopped stay as they are taken."""
    for hold in MedicationHold.objects.filter(case=case, is_current=True):
        if hold.state in (HoldState.HELD, HoldState.PATIENT_TOLD):
            hold.state = HoldState.RESTART_DUE
            open_task(
                actor=actor,
                case=case,
                kind=TaskKind.RESTART_DRUG,
                due_at=timezone.now(),
                role=Role.NURSE,
                hold=hold,
            )
        elif hold.state in (HoldState.PLANNED, HoldState.APPROVED):
            hold.is_current, hold.retired_reason = False, "never stopped"
        else:
            continue
        hold.version += 1
        hold.updated_by_id = actor.user_id
        hold.save()
        audit.record(
            actor,
            "medicationhold.follow_case",
            subject_of(case),
            is_write=True,
            detail={"row": hold.pk, "state": str(hold.state)},
        )


def _set_aside(actor: Actor, case: Case, reason: str, *kinds: type[Record | CaseRow]) -> None:
    retire_records(actor=actor, case=case, models=kinds, reason=reason)


def _leave_booking(actor: Actor, case: Case, reason: str) -> None:
    _restart_medicines(actor, case)
    _set_aside(actor, case, reason, *_BOOKING, *_DAY)


def _conservative(actor: Actor, case: Case, reason: str) -> None:
    _leave_booking(actor, case, reason)
    want_bone_health(actor=actor, case=case)
    due = site_day_at(case.site, timezone.now() + timedelta(weeks=4), hour=9)
    open_task(
        actor=actor,
        case=case,
        kind=TaskKind.REVIEW_CONSERVATIVE,
        due_at=due,
        role=Role.RADIOLOGIST,
        note=reason,
    )


def _urgent(actor: Actor, case: Case, reason: str) -> None:
    _leave_booking(actor, case, reason)
    case.is_urgent = True
    case.save(update_fields=["is_urgent"])
    open_task(
        actor=actor,
        case=case,
        kind=TaskKind.URGENT_HANDOVER,
        due_at=timezone.now() + timedelta(hours=1),
        role=Role.RADIOLOGIST,
        note=reason,
    )
    want_bone_health(actor=actor, case=case)


def _back_to_radiologist(actor: Actor, case: Case, reason: str) -> None:
    _leave_booking(actor, case, reason)
    _set_aside(actor, case, reason, *_DECISION, Preparation)


def _look_again(actor: Actor, case: Case, reason: str) -> None:
    case.round += 1
    case.save(update_fields=["round"])
    _set_aside(actor, case, reason, ImagingReview, LevelFinding, *_DECISION, Preparation, *_BOOKING, *_DAY)


def _levels_of_the_day(actor: Actor, case: Case, reason: str) -> None:
    del reason
    chosen = current(case, ProcedureChoice)
    for plan in LevelChoice.objects.filter(chosen=chosen, is_current=True):
        LevelTreatment.objects.get_or_create(
            case=case,
            level=plan.level,
            is_current=True,
            defaults={
                "procedure": plan.procedure,
                "approach": plan.approach,
                "created_by_id": actor.user_id,
            },
        )


def _start_prone(actor: Actor, case: Case, reason: str) -> None:
    del reason
    RecoveryStay(case=case, prone_since=timezone.now(), created_by_id=actor.user_id).save()


def _start_supine(actor: Actor, case: Case, reason: str) -> None:
    del reason
    stay = current(case, RecoveryStay)
    assert stay is not None, "the guard saw a stay"
    stay.supine_since = timezone.now()
    stay.version += 1
    stay.updated_by_id = actor.user_id
    stay.save()


def _went_home(actor: Actor, case: Case, reason: str) -> None:
    del reason
    now = timezone.now()

    def at(moment: datetime) -> datetime:
        return site_day_at(case.site, moment, hour=9)

    plan = (
        (TaskKind.CALL_DAY_1, at(now + timedelta(days=1)), at(now + timedelta(days=2)), Role.NURSE),
        (TaskKind.CALL_WEEK_2, at(now + timedelta(days=14)), at(now + timedelta(days=16)), Role.NURSE),
        (TaskKind.VISIT_WEEK_2, at(now + timedelta(days=14)), at(now + timedelta(days=21)), Role.NURSE),
        *(
            (
                kind,
                at(add_months(now, months)),
                at(add_months(now, months) + timedelta(days=14)),
                Role.QUALITY,
            )
            for kind, months in (
                (TaskKind.OUTCOME_1M, 1),
                (TaskKind.OUTCOME_3M, 3),
                (TaskKind.OUTCOME_6M, 6),
                (TaskKind.OUTCOME_12M, 12),
            )
        ),
    )
    for kind, due_at, due_end, role in plan:
        open_task(actor=actor, case=case, kind=kind, due_at=due_at, due_end=due_end, role=role)
    _restart_medicines(actor, case)
    want_bone_health(actor=actor, case=case)


EFFECTS: dict[Event, Callable[[Actor, Case, str], None]] = {
    Event.TREAT_CONSERVATIVELY: _conservative,
    Event.REFER_URGENTLY: _urgent,
    Event.POSTPONE: _leave_booking,
    Event.CANCEL: _leave_booking,
    Event.RETURN_TO_RADIOLOGIST: _back_to_radiologist,
    Event.LOOK_AGAIN: _look_again,
    Event.COMPLETE_TIME_OUT: _levels_of_the_day,
    Event.FINISH_PROCEDURE: _start_prone,
    Event.TURN_SUPINE: _start_supine,
    Event.DISCHARGE: _went_home,
}


def after(event: Event, *, actor: Actor, case: Case, reason: str) -> None:
    """Do what follows from an event, in the same transaction."""
    effect = EFFECTS.get(event)
    if effect is not None:
        effect(actor, case, reason)
