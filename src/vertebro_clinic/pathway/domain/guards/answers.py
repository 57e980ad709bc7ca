"""Asking a record for its answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from vertebro_clinic.core.errors import Missing, Words
from vertebro_clinic.pathway.enums import YesNoUnknown
from vertebro_clinic.pathway.models.base import Record

YES, NO, UNKNOWN = YesNoUnknown.YES, YesNoUnknown.NO, YesNoUnknown.UNKNOWN


def unanswered(record: Record, fields: Iterable[str], step: str) -> list[Missing]:
    """One line for every field that nobody has answered.

    An empty text and None count as unanswered, and so does "not known" where only yes or no helps: those are
    left to the caller.
    """
    missing = []
    for name in fields:
        if getattr(record, name) in (None, "", False):
            label = record._meta.get_field(name).verbose_name  # type: ignore[union-attr]
            missing.append(Missing(f"{step}.{name}", _("Still open: %(field)s") % {"field": label}, step))
    return missing


def when(condition: Any, code: str, words: Words, step: str) -> list[Missing]:
    """One line if the condition holds."""
    return [Missing(code, words, step)] if condition else []
