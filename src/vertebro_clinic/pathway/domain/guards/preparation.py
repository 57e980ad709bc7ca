"""Booking, preparation, the call."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from vertebro_clinic.core.errors import Missing
from vertebro_clinic.pathway.domain.guards.answers import YES, unanswered, when
from vertebro_clinic.pathway.domain.policies import limit
from vertebro_clinic.pathway.enums import HoldState
from vertebro_clinic.pathway.models import (
    Booking,
    Case,
    LabResult,
    MedicationHold,
    Medicine,
    Precall,
    Preparation,
)
from vertebro_clinic.pathway.models.patient import HOLDABLE
from vertebro_clinic.pathway.models.preparation import LabKind, PrecallState

LAB_DAYS = 30


def booked(case: Case) -> list[Missing]:
    """A time, a suite and a radiologist."""
    step = "booking"
    booking = Booking.objects.filter(case=case, is_current=True).first()
    if booking is None:
        return [Missing("booking.none", _("No time is booked."), step)]
    missing = when(
        booking.radiologist_id is None, "booking.radiologist", _("No radiologist is booked."), step
    )
    return missing + when(
        booking.starts_at < timezone.now() - timedelta(hours=12),
        "booking.past",
        _("The booked time has passed."),
        step,
    )


def _labs(case: Case) -> list[Missing]:
    step = "preparation"
    earliest = timezone.now().date() - timedelta(days=LAB_DAYS)
    newest = {
        row.kind: row
        for row in LabResult.objects.filter(case=case, is_current=True).order_by("taken_on", "pk")
    }
    missing = []
    for kind in (LabKind.INR, LabKind.PLATELETS):
        row = newest.get(kind)
        missing += when(
            row is None or row.taken_on < earliest,
            f"lab.{kind}",
            _("%(lab)s: no value of the last %(days)s days.") % {"lab": kind.label, "days": LAB_DAYS},
            step,
        )
    inr, platelets = newest.get(LabKind.INR), newest.get(LabKind.PLATELETS)
    missing += when(
        inr is not None and float(inr.value) > limit("inr_most", case.site),
        "lab.inr_high",
        _("INR is above %(limit)s.") % {"limit": limit("inr_most", case.site)},
        step,
    )
    return missing + when(
        platelets is not None and float(platelets.value) < limit("platelets_least", case.site),
        "lab.platelets_low",
        _("Platelets are below %(limit)s.") % {"limit": limit("platelets_least", case.site)},
        step,
    )


def _holds(case: Case) -> list[Missing]:
    step = "preparation"
    holds = list(MedicationHold.objects.filter(case=case, is_current=True).select_related("medicine"))
    missing = []
    for hold in holds:
        missing += when(
            hold.state == HoldState.PLANNED,
            "hold.unapproved",
            _("%(drug)s: the prescriber has not approved the stop.") % {"drug": hold.medicine.name},
            step,
        )
        missing += when(
            hold.state == HoldState.APPROVED,
            "hold.untold",
            _("%(drug)s: the patient has not been told when to stop.") % {"drug": hold.medicine.name},
            step,
        )
    over = (HoldState.RESTART_DUE, HoldState.RESTARTED)
    decided = {hold.medicine_id for hold in holds if hold.state not in over}
    open_drugs = Medicine.objects.filter(
        patient=case.patient_id, ended_at=None, kind__in=[*HOLDABLE, "unknown"]
    )
    for medicine in open_drugs.exclude(pk__in=decided):
        missing.append(
            Missing(
                "hold.undecided",
                _("%(drug)s: nobody has decided whether it is stopped.") % {"drug": medicine.name},
                step,
            )
        )
    return missing


def preparation_settled(case: Case) -> list[Missing]:
    """Holds decided, approved and told; laboratory in range; fasting, driver and images settled."""
    step = "preparation"
    preparation = Preparation.objects.filter(case=case, is_current=True).first()
    if preparation is None:
        return [Missing("preparation.none", _("The preparation has not been started."), step), *_holds(case)]
    missing = unanswered(
        preparation, ("fasting_told", "adult_at_home", "medicines_reviewed", "images_to_bring"), step
    )
    missing += when(
        not preparation.driver and not preparation.needs_transport,
        "preparation.driver",
        _("There is no driver. If the patient has none, we help with transport: tick that."),
        step,
    )
    missing += when(
        preparation.infection_signs == YES, "preparation.infection", _("Fever or infection: postpone."), step
    )
    return missing + _holds(case) + _labs(case)


def precall_done(case: Case) -> list[Missing]:
    """The patient was reached and everything on the script was asked."""
    step = "precall"
    call = Precall.objects.filter(case=case, is_current=True).first()
    if call is None:
        return [Missing("precall.none", _("The call has not been made."), step)]
    if call.state != PrecallState.REACHED:
        return [Missing("precall.not_reached", _("The patient has not been reached."), step)]
    missing = unanswered(
        call,
        (
            "medicines_asked",
            "allergies_asked",
            "history_asked",
            "questions_answered",
            "driver_confirmed",
            "fasting_confirmed",
            "pregnant_or_nursing",
        ),
        step,
    )
    return missing + _holds(case)
