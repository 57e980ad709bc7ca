"""When the last dose may be taken, by the patient's own clock.

The counting rule: a hold of *N* days means *N* whole calendar days without the medicine before the
day of treatment. For aspirin and a treatment on Wednesday, seven days are Wednesday to Tuesday, so
the last dose is on the Tuesday before that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from vertebro_clinic.preparation.hold_policies import HoldPolicy, Unit


class PartOfDay(StrEnum):
    """How a patient names an hour."""

    NIGHT = "night"
    MORNING = "morning"
    MIDDAY = "midday"
    AFTERNOON = "afternoon"
    EVENING = "evening"

    @staticmethod
    def of(at: time) -> PartOfDay:
        """The part of the day in which a clock time lies.

        >>> PartOfDay.of(time(8)).value, PartOfDay.of(time(21)).value
        ('morning', 'evening')
        """
        bounds = (
            (5, PartOfDay.NIGHT),
            (11, PartOfDay.MORNING),
            (14, PartOfDay.MIDDAY),
            (18, PartOfDay.AFTERNOON),
            (23, PartOfDay.EVENING),
        )
        return next((part for hour, part in bounds if at.hour < hour), PartOfDay.NIGHT)


@dataclass(frozen=True, slots=True)
class LastDose:
    """The last dose that may be taken."""

    day: date
    """In the patient's own calendar."""
    part: PartOfDay | None
    """None where any time of that day will do."""
    at: datetime | None
    """The moment of that dose in UTC, where its hour is known."""
    first_day_without: date


def last_dose(
    policy: HoldPolicy, start: datetime, zone: ZoneInfo, dose_times: Sequence[time] = ()
) -> LastDose | str:
    """The last dose before a treatment, or in words what must be asked to know it.

    Parameters
    ----------
    policy : HoldPolicy
    start : datetime
        Start of the treatment, with a time zone.
    zone : ZoneInfo
        The patient's own clock.
    dose_times : sequence of time
        When the patient takes it each day; needed where doses are counted.

    Examples
    --------
    >>> from vertebro_clinic.preparation.hold_policies import hold_policies
    >>> wednesday = datetime(2026, 6, 17, 10, tzinfo=ZoneInfo("America/New_York"))
    >>> last_dose(hold_policies()["pages_aspirin"], wednesday, ZoneInfo("America/New_York")).day.isoformat()
    '2026-06-09'
    """
    day = start.astimezone(zone).date()
    if policy.unit is Unit.DAYS:
        last = day - timedelta(days=policy.amount + 1)
        times = sorted(dose_times)
        part = PartOfDay.of(times[-1]) if times else None
        at = _moment(last, times[-1], zone) if times else None
        return LastDose(last, part, at, last + timedelta(days=1))
    if not dose_times:
        return "At which hours is it taken? The hold is counted in doses or hours."
    doses = _doses_before(start, zone, dose_times)
    if policy.unit is Unit.DOSES:
        moment = doses[policy.amount]
    else:
        limit = start.astimezone(UTC) - timedelta(hours=policy.amount)
        moment = next(dose for dose in doses if dose <= limit)
    local = moment.astimezone(zone)
    following = doses[doses.index(moment) - 1] if doses.index(moment) else start.astimezone(UTC)
    return LastDose(
        local.date(), PartOfDay.of(local.time()), moment, _first_day_without(moment, following, zone)
    )


def _doses_before(start: datetime, zone: ZoneInfo, dose_times: Sequence[time]) -> list[datetime]:
    """The moments of the 40 days' doses before a treatment, latest first."""
    day = start.astimezone(zone).date()
    moments = {_moment(day - timedelta(days=back), at, zone) for back in range(41) for at in dose_times}
    return sorted((moment for moment in moments if moment < start.astimezone(UTC)), reverse=True)


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def _first_day_without(last: datetime, following: datetime, zone: ZoneInfo) -> date:
    """The day of the first dose that is left out."""
    return max(following.astimezone(zone).date(), last.astimezone(zone).date())
