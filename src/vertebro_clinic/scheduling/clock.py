"""Real clocks to minutes and back: sites in different zones, and days of 23 or 25 hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from vertebro_clinic.scheduling.nouns import SchedulingError


def local_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment at which the clock on a site's wall shows ``at`` on ``day``, in UTC.

    A time that the spring change skips becomes the moment of the change's other side (02:30 is
    03:30); of a time that autumn shows twice, the first is meant.

    >>> local_instant(date(2026, 3, 29), time(2, 30), ZoneInfo("Europe/Berlin")).isoformat()
    '2026-03-29T01:30:00+00:00'
    """
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Horizon:
    """A stretch of real time in which things are booked.

    Examples
    --------
    >>> week = Horizon.of_days(date(2026, 3, 27), 7, ZoneInfo("Europe/Berlin"))
    >>> week.length
    10020
    >>> week.minute(week.moment(600)) == 600
    True
    """

    start: datetime
    """In UTC, a whole multiple of five minutes."""
    length: int
    """Minutes."""

    def __post_init__(self) -> None:
        if self.start.tzinfo is None:
            raise SchedulingError(
                "The horizon's start has no time zone; needed is a moment with one. Add it."
            )

    @classmethod
    def of_days(cls, first: date, days: int, zone: ZoneInfo) -> Horizon:
        """From midnight to midnight of a site's clock."""
        start = local_instant(first, time(0), zone)
        end = local_instant(first + timedelta(days=days), time(0), zone)
        return cls(start, int((end - start).total_seconds()) // 60)

    def minute(self, moment: datetime) -> int:
        """Minutes from the start to a moment."""
        return int((moment - self.start).total_seconds() // 60)

    def moment(self, minute: int) -> datetime:
        """The moment, in UTC, that lies so many minutes after the start."""
        return self.start + timedelta(minutes=minute)

    def span(self, day: date, opens: time, closes: time, zone: ZoneInfo) -> tuple[int, int]:
        """A site's opening on one day by its own clock; past midnight where it closes before it opens.

        >>> autumn = Horizon.of_days(date(2026, 10, 25), 1, ZoneInfo("Europe/Berlin"))
        >>> autumn.span(date(2026, 10, 25), time(0), time(8), ZoneInfo("Europe/Berlin"))
        (0, 540)
        """
        last = day if closes > opens else day + timedelta(days=1)
        return self.minute(local_instant(day, opens, zone)), self.minute(local_instant(last, closes, zone))
