"""Small things that templates need; a builtin, so that no template loads it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django import template
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from vertebro_clinic.core.models import Site
from vertebro_clinic.pathway.domain.queries.home import is_late
from vertebro_clinic.pathway.interfaces import steps
from vertebro_clinic.pathway.models import Case

register = template.Library()


@register.filter
def at_site(moment: datetime | None, site: Site) -> str:
    """A moment by the site's clock: day and time."""
    if moment is None:
        return ""
    local = moment.astimezone(site.tz)
    return f"{formats.date_format(local, 'DATE_FORMAT')}, {formats.time_format(local, 'H:i')}"


@register.filter
def clock(moment: datetime | None, site: Site) -> str:
    """Only the time, by the site's clock."""
    return "" if moment is None else moment.astimezone(site.tz).strftime("%H:%M")


@register.filter
def waited(moment: datetime) -> str:
    """How long ago, in one unit."""
    minutes = int((timezone.now() - moment).total_seconds() // 60)
    if minutes < 60:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    if minutes < 48 * 60:
        hours = minutes // 60
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    days = minutes // (24 * 60)
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


@register.filter
def late(case: Case) -> bool:
    """Whether the case has waited for too long."""
    return is_late(case)


@register.filter
def overdue(moment: datetime | None) -> bool:
    """Whether a due time has passed."""
    return moment is not None and moment < timezone.now()


@register.filter
def cell(row: Any, column: str) -> str:
    """A row's value for a table."""
    value = steps.shown(row, column)
    if isinstance(value, bool):
        return _("Yes") if value else "–"
    if isinstance(value, datetime):
        return at_site(value, row.case.site)
    return "–" if value in (None, "") else str(value)


@register.filter
def column_name(rows: steps.Rows, column: str) -> str:
    """A column's heading."""
    if column == "medicine_name":
        return _("Medicine")
    if column == "state":
        return _("State")
    return str(rows.model._meta.get_field(column).verbose_name)  # type: ignore[union-attr]


@register.filter
def lookup(mapping: Any, key: Any) -> Any:
    """An entry of a dictionary."""
    return mapping.get(key) if mapping else None


@register.filter
def age_at(patient: Any, site: Site) -> int:
    """Whole years, by the site's calendar."""
    today = timezone.now().astimezone(site.tz).date()
    born = patient.birth_date
    return int(today.year - born.year - ((today.month, today.day) < (born.month, born.day)))


@register.simple_tag
def fresh_token() -> str:
    """A token for one action: sent twice, it counts once."""
    return str(uuid.uuid4())


@register.filter
def room_words(event: Any) -> str:
    """A room event in words."""
    content, level = event.content, event.level.level if event.level else ""
    if event.kind == "cement":
        return _("%(level)s: cement %(ml)s mL") % {"level": level, "ml": content["ml"]}
    if event.kind == "mix":
        return _("%(level)s: cement mixed") % {"level": level}
    if event.kind == "vitals":
        names = {"systolic": "BP", "pulse": _("pulse"), "spo2": "SpO₂", "sedation": "RASS"}
        return ", ".join(f"{names[name]} {value:g}" for name, value in content.items() if name in names)
    if event.kind == "drug":
        return f"{content['name']} {content['amount']:g} {content['unit']}"
    return str(content.get("words") or content.get("view") or event.kind)
