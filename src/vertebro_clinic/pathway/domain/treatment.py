"""The day of treatment, saved as it happens: ticks, doses, vital signs, cement.

Each action carries a token of its own,
so that one sent twice over a bad network counts once.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.domain import audit
from vertebro_clinic.core.errors import ConditionsUnmet, Missing, NotAllowed, NotVisible
from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.checklists import SIGN_IN, SIGN_OUT, TIME_OUT, Item
from vertebro_clinic.pathway.domain.queries.visible import lock_case, subject_of
from vertebro_clinic.pathway.domain.records import change_row, current, require_writer
from vertebro_clinic.pathway.models import Case, LevelTreatment, RoomEvent, SignIn, SignOut, TimeOut
from vertebro_clinic.pathway.models.procedure import Checklist

ROOM_ROLES = frozenset({Role.NURSE, Role.RADIOLOGIST})
CHECKLISTS: dict[str, tuple[type[Checklist], tuple[Item, ...]]] = {
    "sign_in": (SignIn, SIGN_IN),
    "time_out": (TimeOut, TIME_OUT),
    "sign_out": (SignOut, SIGN_OUT),
}


def tick_item(*, actor: Actor, case_id: int, checklist: str, item: str, is_done: bool) -> Checklist:
    """Tick one line of a checklist, or take the tick back.

    Two people ticking different lines lose nothing.
    """
    model, items = CHECKLISTS[checklist]
    if item not in {line.code for line in items}:
        raise NotVisible(_("There is no such line."))
    with transaction.atomic():
        case = lock_case(actor, case_id)
        require_writer(actor, case, ROOM_ROLES)
        record = current(case, model) or model(case=case, created_by_id=actor.user_id, version=0)
        if is_done:
            record.items[item] = {"at": timezone.now().isoformat(), "by": actor.user_id}
        else:
            record.items.pop(item, None)
        if isinstance(record, TimeOut) and item == "antibiotic":
            record.antibiotic_at = timezone.now() if is_done else None
        record.version += 1
        record.updated_by_id = actor.user_id
        record.save()
        audit.record(
            actor,
            f"{checklist}.{'tick' if is_done else 'untick'}",
            subject_of(case),
            is_write=True,
            detail={"item": item},
        )
    return record


def add_room_event(
    *,
    actor: Actor,
    case_id: int,
    kind: str,
    content: Mapping[str, Any],
    token: uuid.UUID,
    level_id: int | None = None,
    at: datetime | None = None,
) -> RoomEvent:
    """Keep one thing that happened in the room. The same token again returns the row that stands."""
    with transaction.atomic():
        case = lock_case(actor, case_id)
        require_writer(actor, case, ROOM_ROLES)
        standing = RoomEvent.objects.filter(token=token).first()
        if standing is not None:
            if standing.case_id != case.pk:
                raise NotAllowed(_("This entry belongs to another case."))
            return standing
        level = LevelTreatment.objects.get(pk=level_id, case=case, is_current=True) if level_id else None
        event = RoomEvent(
            case=case,
            at=at or timezone.now(),
            kind=kind,
            token=token,
            level=level,
            content=dict(content),
            created_by_id=actor.user_id,
        )
        event.save()
        audit.record(
            actor, f"room.{kind}", subject_of(case), is_write=True, detail={"row": event.pk, **dict(content)}
        )
        if level is not None and kind == "cement":
            _count_cement(actor, level)
        elif level is not None and kind == "mix":
            _start_mix(actor, level, event.at)
    return event


def _start_mix(actor: Actor, level: LevelTreatment, at: datetime) -> None:
    """The cement of a level is mixed: its clock runs from here."""
    level.mixed_at = at
    level.version += 1
    level.updated_by_id = actor.user_id
    level.save()


def strike_out(*, actor: Actor, event: RoomEvent, reason: str, token: uuid.UUID) -> RoomEvent:
    """Strike out a room event: it stays readable, a later row names it and says why."""
    if not reason.strip():
        raise ConditionsUnmet([Missing("reason", _("Say why it is struck out."))])
    with transaction.atomic():
        case = lock_case(actor, event.case_id)
        require_writer(actor, case, ROOM_ROLES)
        standing = RoomEvent.objects.filter(strikes_out=event).first()
        if standing is not None:
            return standing
        row = RoomEvent(
            case=case,
            at=timezone.now(),
            kind="strike_out",
            token=token,
            level=event.level,
            content={"reason": reason.strip()},
            strikes_out=event,
            created_by_id=actor.user_id,
        )
        row.save()
        audit.record(
            actor,
            "room.strike_out",
            subject_of(case),
            is_write=True,
            detail={"row": event.pk, "reason": reason.strip()},
        )
        if event.level is not None and event.kind == "cement":
            _count_cement(actor, event.level)
    return row


def standing_events(case: Case) -> list[RoomEvent]:
    """The room's events that were not struck out, in order."""
    return list(
        RoomEvent.objects.filter(case=case, is_current=True, strikes_out=None, struck_out_by=None)
        .exclude(kind="strike_out")
        .select_related("level", "created_by")
        .order_by("at", "pk")
    )


def _count_cement(actor: Actor, level: LevelTreatment) -> None:
    """The level's cement is the sum of its entries: counted anew each time, so that nothing drifts."""
    doses = list(
        RoomEvent.objects.filter(level=level, kind="cement", struck_out_by=None).order_by("at", "pk")
    )
    level = LevelTreatment.objects.get(pk=level.pk)
    level.cement_ml = sum((Decimal(str(event.content["ml"])) for event in doses), Decimal(0))
    level.first_injection_at = doses[0].at if doses else None
    level.last_injection_at = doses[-1].at if doses else None
    level.version += 1
    level.updated_by_id = actor.user_id
    level.save()


def change_level(
    *, actor: Actor, level: LevelTreatment, values: Mapping[str, Any], version: int
) -> LevelTreatment:
    """Save what was done to a level."""
    return change_row(actor=actor, row=level, values=values, roles=ROOM_ROLES, version=version)
