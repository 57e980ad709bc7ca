"""What a moved booking changes: every date that moved, who must hear it, and what can no longer be kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vertebro_clinic.preparation.plan import Item, Kind, PreparationPlan, Who


@dataclass(frozen=True, slots=True)
class Change:
    """One item that differs between two plans."""

    kind: Kind
    subject: str
    before: Item | None
    after: Item | None
    tell: frozenset[Who]
    """Who must be told again."""
    too_late: bool
    """Whether the new date lies behind already."""


def changes_between(before: PreparationPlan, after: PreparationPlan, *, now: datetime) -> tuple[Change, ...]:
    """Every item whose date, hours or existence changed.

    The prescriber is told again where the day of a last dose moved: an approval was for the old date.
    """
    old = {(item.kind, item.subject): item for item in before.items}
    new = {(item.kind, item.subject): item for item in after.items}
    found = []
    for key in [*old, *(key for key in new if key not in old)]:
        a, b = old.get(key), new.get(key)
        if a == b:
            continue
        tell = {item.who for item in (a, b) if item is not None}
        if key[0] in (Kind.LAST_DOSE, Kind.APPROVE_HOLD):
            tell |= {Who.PATIENT, Who.PRESCRIBER}
        found.append(Change(*key, a, b, frozenset(tell), b is not None and _is_past(b, now)))
    return tuple(found)


def _is_past(item: Item, now: datetime) -> bool:
    if item.kind is Kind.RESTART:
        return False
    if item.last_dose is not None:
        if item.last_dose.at is not None:
            return item.last_dose.at < now and item.last_dose.day < now.date()
        return item.last_dose.day < now.date()
    if item.windows:
        return item.windows[-1][1] < now
    if item.fasting is not None:
        return item.fasting.clear_liquids_until < now
    return item.due is not None and item.due < now
