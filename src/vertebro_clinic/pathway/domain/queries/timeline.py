"""The whole journey of a case, newest first: moves, records, studies, calls, harm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from vertebro_clinic.pathway.domain.records import WRITERS
from vertebro_clinic.pathway.models import (
    AdverseEvent,
    Booking,
    Case,
    FollowUpContact,
    ImagingStudy,
    Move,
    NewPain,
    OutcomeScore,
)


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the timeline."""

    at: datetime
    kind: str
    words: str
    who: str
    detail: str = ""


def _name(row: Any, field: str) -> str:
    person = getattr(row, field)
    return person.name if person else ""


def _records(case: Case) -> list[Happening]:
    lines = []
    for model in WRITERS:
        rows = model._default_manager.filter(case=case).select_related("created_by", "signed_by")
        for row in rows:
            if row.signed_at:
                words = _("%(record)s signed") % {"record": model.title}
                lines.append(
                    Happening(row.signed_at, "sign", words, _name(row, "signed_by"), row.retired_reason)
                )
            else:
                words = _("%(record)s written") % {"record": model.title}
                lines.append(
                    Happening(row.created_at, "record", words, _name(row, "created_by"), row.retired_reason)
                )
    return lines


def timeline_of(case: Case) -> list[Happening]:
    """Everything that happened in a case, newest first. The reader has been checked and logged before."""
    lines = [
        Happening(
            move.at,
            "move",
            f"{move.get_from_stage_display()} → {move.get_to_stage_display()}",
            move.user.name if move.user else "",
            move.reason,
        )
        for move in Move.objects.filter(case=case).select_related("user")
    ]
    lines += _records(case)
    for study in ImagingStudy.objects.filter(case=case, is_current=True).select_related("created_by"):
        lines.append(
            Happening(
                study.created_at, "imaging", study.get_kind_display(), _name(study, "created_by"), study.place
            )
        )
    for booking in Booking.objects.filter(case=case).select_related("created_by"):
        words = _("Booked: %(room)s") % {"room": booking.room}
        lines.append(
            Happening(
                booking.created_at, "booking", words, _name(booking, "created_by"), booking.retired_reason
            )
        )
    for contact in FollowUpContact.objects.filter(case=case).select_related("created_by"):
        words = _("Call: reached") if contact.reached else _("Call: not reached")
        lines.append(Happening(contact.at, "call", words, _name(contact, "created_by"), contact.remark))
    for score in OutcomeScore.objects.filter(case=case).select_related("created_by"):
        words = _("Questionnaire: pain %(pain)s of 10") % {"pain": score.pain_now}
        lines.append(Happening(score.at, "outcome", words, _name(score, "created_by")))
    for event in AdverseEvent.objects.filter(case=case).select_related("created_by"):
        words = _("Adverse event: %(kind)s") % {"kind": event.get_kind_display()}
        lines.append(
            Happening(event.happened_at, "harm", words, _name(event, "created_by"), event.description)
        )
    for pain in NewPain.objects.filter(case=case).select_related("created_by"):
        lines.append(
            Happening(pain.reported_at, "harm", _("New pain"), _name(pain, "created_by"), pain.description)
        )
    return sorted(lines, key=lambda line: line.at, reverse=True)
