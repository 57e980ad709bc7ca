"""Fasting hours, the hours for the call before the day, and how old a laboratory value may be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class FastingRule(StrEnum):
    """Which rule a site has chosen (C11)."""

    MIDNIGHT = "midnight"
    """Nothing to eat or drink from midnight before the treatment (S0.16)."""
    HOURS = "hours"
    """Clear liquids until 2 h, a light meal until 6 h, a full meal until 8 h before (ASA guideline 2017)."""


@dataclass(frozen=True, slots=True)
class Fasting:
    """Until when what may be taken; moments in UTC."""

    full_meal_until: datetime
    light_meal_until: datetime
    clear_liquids_until: datetime


def fasting(rule: FastingRule, start: datetime, site_zone: ZoneInfo) -> Fasting:
    """Until when a patient may eat and drink.

    Midnight is that of the site's clock; hours are hours that pass, so that a changed clock in the
    night neither adds nor takes one.

    >>> zone = ZoneInfo("America/New_York")
    >>> nothing = fasting(FastingRule.MIDNIGHT, datetime(2026, 6, 17, 10, tzinfo=zone), zone)
    >>> nothing.clear_liquids_until.astimezone(zone).isoformat()
    '2026-06-17T00:00:00-04:00'
    """
    begin = start.astimezone(UTC)
    if rule is FastingRule.MIDNIGHT:
        midnight = datetime.combine(start.astimezone(site_zone).date(), time(0), tzinfo=site_zone).astimezone(
            UTC
        )
        return Fasting(midnight, midnight, midnight)
    return Fasting(*(begin - timedelta(hours=hours) for hours in (8, 6, 2)))


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When somebody calls patients, by the site's clock."""

    opens: time = time(8)
    closes: time = time(17)
    weekdays: frozenset[int] = frozenset(range(5))
    """Monday is 0."""
    closed: frozenset[date] = frozenset()


def call_windows(
    start: datetime, zone: ZoneInfo, hours: WorkingHours
) -> tuple[tuple[datetime, datetime], ...]:
    """When to call before a treatment: within 48 to 24 h before, in working hours (S2.11).

    Where no working hour lies in between (a Monday's treatment), the last working day before is
    taken whole.

    Examples
    --------
    >>> zone = ZoneInfo("America/New_York")
    >>> windows = call_windows(datetime(2026, 6, 17, 10, tzinfo=zone), zone, WorkingHours())
    >>> [[moment.astimezone(zone).strftime("%a %H:%M") for moment in window] for window in windows]
    [['Mon 10:00', 'Mon 17:00'], ['Tue 08:00', 'Tue 10:00']]
    """
    begin = start.astimezone(UTC)
    first, last = begin - timedelta(hours=48), begin - timedelta(hours=24)
    day = first.astimezone(zone).date()
    found = []
    for ahead in range(3):
        opened = _opening(day + timedelta(days=ahead), zone, hours)
        if opened and max(first, opened[0]) < min(last, opened[1]):
            found.append((max(first, opened[0]), min(last, opened[1])))
    if found:
        return tuple(found)
    for back in range(1, 30):
        opened = _opening(day - timedelta(days=back - 1), zone, hours)
        if opened and opened[1] <= last:
            return (opened,)
    return ((first, last),)


def _opening(day: date, zone: ZoneInfo, hours: WorkingHours) -> tuple[datetime, datetime] | None:
    if day.weekday() not in hours.weekdays or day in hours.closed:
        return None
    return (
        datetime.combine(day, hours.opens, tzinfo=zone).astimezone(UTC),
        datetime.combine(day, hours.closes, tzinfo=zone).astimezone(UTC),
    )
