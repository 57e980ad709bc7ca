"""What a patient sees of themself: one page in plain words, and who looked at their record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from vertebro_clinic.core.actor import Actor
from vertebro_clinic.core.models import AuditEntry, Site, User
from vertebro_clinic.core.models.site import Fasting
from vertebro_clinic.core.roles import ActorKind
from vertebro_clinic.pathway.domain.queries.visible import cases_visible_to
from vertebro_clinic.pathway.enums import HoldState, Stage, TaskKind
from vertebro_clinic.pathway.models import Booking, Case, MedicationHold, Patient, Task

OUTCOMES = (TaskKind.OUTCOME_1M, TaskKind.OUTCOME_3M, TaskKind.OUTCOME_6M, TaskKind.OUTCOME_12M)


class Known(NamedTuple):
    """What the door needs to know of a patient."""

    birth_date: date
    language: str


def birth_date_of(patient_id: int) -> Known:
    """The date of birth that a link is opened with, and the language to greet in."""
    return Known(*Patient.objects.values_list("birth_date", "language").get(pk=patient_id))


@dataclass(frozen=True, slots=True)
class OwnCase:
    """One case as its patient sees it."""

    case: Case
    now: str
    booking: Booking | None
    holds: tuple[MedicationHold, ...]
    eat_until: str
    questionnaires: tuple[Task, ...]


def _now_words(stage: Stage) -> str:
    words = {
        Stage.REFERRED: _("We have your request and read it. We call you."),
        Stage.XRAY: _("An X-ray shows whether a vertebra is broken."),
        Stage.MRI_SAFETY: _("We ask about implants, so that an MRI is safe for you."),
        Stage.MRI: _("We call you to find a time for your MRI."),
        Stage.OTHER_IMAGING: _(
            "An MRI is not possible for you; a bone scan or CT answers the same question."
        ),
        Stage.IMAGING_REVIEW: _("The radiologist reads your images."),
        Stage.CONSULTATION: _("You meet the radiologist. Ask everything you want to know."),
        Stage.ELIGIBILITY: _("The radiologist decides with you whether a procedure can help."),
        Stage.PROCEDURE_CHOICE: _("The radiologist chooses the procedure that fits your fracture."),
        Stage.CONSENT: _("You read about risks, benefits and alternatives, and decide."),
        Stage.SCHEDULING: _("We call you with a time."),
        Stage.PREPARATION: _("You prepare for the day. Your dates are below."),
        Stage.PRECALL: _("A nurse calls you one or two days before."),
        Stage.READY: _("Everything is ready for the day."),
        Stage.FOLLOW_UP: _("You are home. We call you in one or two days, and after two weeks."),
        Stage.CLOSED: _("Your treatment here is complete."),
        Stage.CONSERVATIVE: _("You are treated without a procedure. We look at it again with you."),
        Stage.URGENT: _(
            "You need help soon elsewhere. We have told them; call us if you have not heard today."
        ),
        Stage.POSTPONED: _("Your procedure is postponed. We call you about your medicines and a new time."),
        Stage.CANCELLED: _("Your procedure is cancelled. We call you about your medicines."),
    }
    return words.get(stage, _("You are with us today. Ask the nurse at any time."))


def _eat_until(booking: Booking, site: Site) -> str:
    start = booking.starts_at.astimezone(site.tz)
    if site.fasting == Fasting.MIDNIGHT:
        return _("Nothing to eat or drink after midnight before %(day)s.") % {"day": f"{start:%Y-%m-%d}"}
    return _("A light meal until %(meal)s, clear drinks until %(drink)s on %(day)s.") % {
        "meal": f"{start - timedelta(hours=6):%H:%M}",
        "drink": f"{start - timedelta(hours=2):%H:%M}",
        "day": f"{start:%Y-%m-%d}",
    }


def own_cases(actor: Actor) -> list[OwnCase]:
    """The patient's cases, newest first."""
    shown = []
    for case in (
        cases_visible_to(actor)
        .filter(patient_id=actor.patient_id or 0)
        .select_related("site", "patient")
        .order_by("-pk")
    ):
        booking = Booking.objects.filter(case=case, is_current=True).first()
        told = (HoldState.PATIENT_TOLD, HoldState.HELD, HoldState.RESTART_DUE, HoldState.RESTARTED)
        holds = MedicationHold.objects.filter(case=case, is_current=True, state__in=told).select_related(
            "medicine"
        )
        due = Task.objects.filter(
            case=case,
            is_current=True,
            kind__in=OUTCOMES,
            done_at=None,
            due_at__lt=timezone.now() + timedelta(days=7),
        )
        shown.append(
            OwnCase(
                case,
                _now_words(Stage(case.stage)),
                booking,
                tuple(holds),
                _eat_until(booking, case.site) if booking else "",
                tuple(due),
            )
        )
    return shown


@dataclass(frozen=True, slots=True)
class Look:
    """One entry of the audit log as the patient reads it."""

    at: datetime
    who: str
    is_write: bool


def who_looked(actor: Actor, *, most: int = 100) -> list[Look]:
    """Who read or wrote the patient's record, newest first; looks of one person in one minute count once."""
    entries = AuditEntry.objects.filter(patient_id=actor.patient_id or 0).order_by("-sequence")[: 4 * most]
    names = User.objects.in_bulk({entry.user_id for entry in entries if entry.user_id})
    words = {
        ActorKind.PATIENT: _("You"),
        ActorKind.PROXY: _("A person you named"),
        ActorKind.SYSTEM: _("The clinic itself"),
    }
    looks: list[Look] = []
    seen = set()
    for entry in entries:
        who = (
            names[entry.user_id].name
            if entry.user_id in names
            else words.get(ActorKind(entry.actor_kind), "")
        )
        key = (who, entry.is_write, entry.at.replace(second=0, microsecond=0))
        if key not in seen:
            seen.add(key)
            looks.append(Look(entry.at, who, entry.is_write))
    return looks[:most]
