"""Regions beside the main line, by the same kind of table.

Held medicines, adverse events, bone health, new pain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.domain import audit
from vertebro_clinic.core.errors import ChangedMeanwhile, ConditionsUnmet, Missing, NoSuchTransition
from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.domain.queries.visible import lock_case, subject_of
from vertebro_clinic.pathway.domain.records import require_writer
from vertebro_clinic.pathway.enums import (
    AdverseState,
    BoneState,
    HoldState,
    NewPainState,
    Region,
    TaskKind,
    TaskOutcome,
)
from vertebro_clinic.pathway.models import AdverseEvent, BoneHealth, MedicationHold, NewPain, Task
from vertebro_clinic.pathway.models.base import CaseRow


class RegionEvent(models.TextChoices):
    """What moves a region."""

    APPROVE = "approve", gettext_lazy("Prescriber approves")
    CONTINUE = "continue", gettext_lazy("Is not stopped")
    TELL = "tell", gettext_lazy("Patient is told")
    STOP = "stop", gettext_lazy("Patient has stopped it")
    DUE = "due", gettext_lazy("Restart is due")
    RESTART = "restart", gettext_lazy("Patient takes it again")
    GRADE = "grade", gettext_lazy("Grade")
    MANAGE = "manage", gettext_lazy("Managed")
    REVIEW = "review", gettext_lazy("Reviewed")
    REFER = "refer", gettext_lazy("Refer")
    MEASURE = "measure", gettext_lazy("Bone density measured")
    TREAT = "treat", gettext_lazy("Treated")
    DECLINE = "decline", gettext_lazy("Patient declines")
    LOOK = "look", gettext_lazy("Look into it")
    SETTLE = "settle", gettext_lazy("Settled")


Row = TypeVar("Row", bound=CaseRow)
RowGuard = Callable[[Any], list[Missing]]


class RegionStep(NamedTuple):
    """Where an event leads, and what the row must hold for it."""

    to: str
    guard: RowGuard
    audit_code: str


def _needs(*fields: str) -> RowGuard:
    def guard(row: models.Model) -> list[Missing]:
        return [
            Missing(name, _("Still open: %(field)s") % {"field": row._meta.get_field(name).verbose_name})  # type: ignore[union-attr]
            for name in fields
            if getattr(row, name) in (None, "")
        ]

    return guard


_H, _A, _B, _N = HoldState, AdverseState, BoneState, NewPainState
_E = RegionEvent
_ROWS: tuple[tuple[Region, str, RegionEvent, str, RowGuard], ...] = (
    (Region.MEDICATION_HOLD, _H.PLANNED, _E.APPROVE, _H.APPROVED, _needs("approved_by_name", "last_dose_on")),
    (Region.MEDICATION_HOLD, _H.PLANNED, _E.CONTINUE, _H.NOT_HELD, _needs("approved_by_name")),
    (Region.MEDICATION_HOLD, _H.APPROVED, _E.TELL, _H.PATIENT_TOLD, _needs("last_dose_on")),
    (Region.MEDICATION_HOLD, _H.APPROVED, _E.CONTINUE, _H.NOT_HELD, _needs()),
    (Region.MEDICATION_HOLD, _H.PATIENT_TOLD, _E.STOP, _H.HELD, _needs()),
    (Region.MEDICATION_HOLD, _H.PATIENT_TOLD, _E.DUE, _H.RESTART_DUE, _needs()),
    (Region.MEDICATION_HOLD, _H.HELD, _E.DUE, _H.RESTART_DUE, _needs()),
    (Region.MEDICATION_HOLD, _H.RESTART_DUE, _E.RESTART, _H.RESTARTED, _needs()),
    (Region.ADVERSE_EVENT, _A.OPEN, _E.GRADE, _A.GRADED, _needs("sir_grade", "cirse_grade", "causality")),
    (Region.ADVERSE_EVENT, _A.GRADED, _E.MANAGE, _A.MANAGED, _needs("management")),
    (Region.ADVERSE_EVENT, _A.MANAGED, _E.REVIEW, _A.REVIEWED, _needs("review")),
    (Region.BONE_HEALTH, _B.TO_REFER, _E.REFER, _B.REFERRED, _needs("referred_to")),
    (Region.BONE_HEALTH, _B.REFERRED, _E.MEASURE, _B.DXA, _needs("dxa_t_score")),
    (Region.BONE_HEALTH, _B.REFERRED, _E.TREAT, _B.TREATED, _needs("treatment")),
    (Region.BONE_HEALTH, _B.DXA, _E.TREAT, _B.TREATED, _needs("treatment")),
    (Region.BONE_HEALTH, _B.TO_REFER, _E.DECLINE, _B.DECLINED, _needs("declined_reason")),
    (Region.BONE_HEALTH, _B.REFERRED, _E.DECLINE, _B.DECLINED, _needs("declined_reason")),
    (Region.BONE_HEALTH, _B.DXA, _E.DECLINE, _B.DECLINED, _needs("declined_reason")),
    (Region.NEW_PAIN, _N.REPORTED, _E.LOOK, _N.LOOKED_AT, _needs()),
    (Region.NEW_PAIN, _N.REPORTED, _E.SETTLE, _N.SETTLED, _needs("conclusion")),
    (Region.NEW_PAIN, _N.LOOKED_AT, _E.SETTLE, _N.SETTLED, _needs("conclusion")),
)
REGION_TRANSITIONS: dict[tuple[Region, str, RegionEvent], RegionStep] = {
    (region, str(state), event): RegionStep(str(to), guard, f"{region}.{event}")
    for region, state, event, to, guard in _ROWS
}
REGION_OF: dict[type[CaseRow], Region] = {
    MedicationHold: Region.MEDICATION_HOLD,
    AdverseEvent: Region.ADVERSE_EVENT,
    BoneHealth: Region.BONE_HEALTH,
    NewPain: Region.NEW_PAIN,
}
_ROOM = frozenset({Role.NURSE, Role.RADIOLOGIST})
REGION_ROLES: dict[Region, frozenset[Role]] = {
    Region.MEDICATION_HOLD: _ROOM,
    Region.ADVERSE_EVENT: _ROOM | {Role.QUALITY},
    Region.BONE_HEALTH: _ROOM | {Role.REFERRER},
    Region.NEW_PAIN: _ROOM,
}


def region_offers(row: CaseRow) -> list[tuple[RegionEvent, str]]:
    """The events that the row's state knows, with where they lead."""
    region, state = REGION_OF[type(row)], getattr(row, "state")  # noqa: B009 - every region's row has one
    return [
        (event, step.to)
        for (its, at, event), step in REGION_TRANSITIONS.items()
        if its == region and at == state
    ]


def move_region(
    *,
    actor: Actor,
    row: Row,
    event: RegionEvent,
    values: Mapping[str, Any] | None = None,
    version: int | None = None,
) -> Row:
    """Move a row of a region along the table, saving the fields that came with the event."""
    region = REGION_OF[type(row)]
    with transaction.atomic():
        case = lock_case(actor, row.case_id)
        require_writer(actor, case, REGION_ROLES[region])
        now: Any = type(row)._default_manager.get(pk=row.pk)
        if version is not None and now.version != version:
            raise ChangedMeanwhile(_("Somebody changed this in the meantime."), now)
        step = REGION_TRANSITIONS.get((region, now.state, event))
        if step is None:
            raise NoSuchTransition(_("'%(event)s' is not possible here now.") % {"event": event.label})
        for name, value in (values or {}).items():
            setattr(now, name, value)
        missing = step.guard(now)
        if missing:
            raise ConditionsUnmet(missing)
        before, now.state = now.state, step.to
        if event == RegionEvent.APPROVE:
            now.approved_at, now.approval_recorded_by_id = timezone.now(), actor.user_id
        now.version += 1
        now.updated_by_id = actor.user_id
        now.save()
        audit.record(
            actor,
            step.audit_code,
            subject_of(case),
            is_write=True,
            detail={"row": now.pk, "from": before, "to": step.to},
        )
        if event == RegionEvent.RESTART:
            _finish_restart_task(actor, now)
    kept: Row = now
    return kept


def _finish_restart_task(actor: Actor, hold: MedicationHold) -> None:
    open_tasks = Task.objects.filter(hold=hold, kind=TaskKind.RESTART_DRUG, done_at=None, is_current=True)
    for task in open_tasks:
        task.done_at, task.done_by_id, task.outcome = timezone.now(), actor.user_id, TaskOutcome.DONE
        task.save()
