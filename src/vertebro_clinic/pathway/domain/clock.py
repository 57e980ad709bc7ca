"""Days and hours as a site's clock shows them."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time

from django.utils import timezone

from vertebro_clinic.core.models import Site


def site_today(site: Site) -> date:
    """Today's date at the site."""
    return timezone.now().astimezone(site.tz).date()


def site_day_at(site: Site, moment: datetime, *, hour: int) -> datetime:
    """The same day as ``moment`` by the site's clock, at a full hour of that clock, in UTC."""
    day = moment.astimezone(site.tz).date()
    return datetime.combine(day, time(hour), tzinfo=site.tz).astimezone(UTC)


def add_months(moment: datetime, months: int) -> datetime:
    """The same day of a later month, or that month's last day.

    >>> add_months(datetime(2026, 1, 31, tzinfo=UTC), 1).date().isoformat()
    '2026-02-28'
    """
    index = moment.month - 1 + months
    year, month = moment.year + index // 12, index % 12 + 1
    day = min(moment.day, calendar.monthrange(year, month)[1])
    return moment.replace(year=year, month=month, day=day)
