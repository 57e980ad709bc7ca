"""The day of treatment.

Check-in, the three checks, sedation, and what was done to each level, as it happens.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.enums import LeakSite, LevelOutcome, Procedure, StopReason, YesNoUnknown
from vertebro_clinic.pathway.models.base import CaseRow, Record, choice, score, words
from vertebro_clinic.pathway.models.imaging import LEVEL_CHOICES


class CheckIn(Record):
    """Arrival: is this the right patient, and still ready."""

    title = _("Check-in")

    identity_checked = models.BooleanField(_("name, date of birth and wristband agree"), default=False)
    pain_now = score(_("pain now, 0 to 10"))
    improved = choice(_("much better since the consultation"), YesNoUnknown)
    fasted = choice(_("fasted as told"), YesNoUnknown)
    last_meal = models.CharField(_("last food and drink"), max_length=80, blank=True)
    doses_as_planned = choice(
        _("held medicines were stopped as planned"), [*YesNoUnknown.choices, ("none", _("None held"))]
    )
    driver_present = choice(_("driver known and reachable"), YesNoUnknown)
    pregnancy = choice(
        _("pregnancy"), [("no", _("No")), ("yes", _("Yes")), ("not_applicable", _("Not applicable"))]
    )
    nursing = choice(_("nursing a child"), YesNoUnknown)
    infection = choice(_("fever or infection"), YesNoUnknown)
    systolic = models.PositiveSmallIntegerField(_("blood pressure, systolic"), null=True, blank=True)
    diastolic = models.PositiveSmallIntegerField(_("diastolic"), null=True, blank=True)
    pulse = models.PositiveSmallIntegerField(_("pulse"), null=True, blank=True)
    spo2 = models.PositiveSmallIntegerField(_("oxygen saturation, %"), null=True, blank=True)
    weight_kg = models.DecimalField(_("weight, kg"), null=True, blank=True, max_digits=5, decimal_places=1)
    legs_normal = choice(_("legs move and feel as at the consultation"), YesNoUnknown)
    remark = words(_("remark"))

    def __str__(self) -> str:
        return f"check-in {self.pk}"


class Checklist(Record):
    """Base of the three checks: each item a tick, saved as it is tapped."""

    items = models.JSONField(default=dict, editable=False)
    remark = words(_("remark"))

    class Meta(Record.Meta):
        abstract = True


class SignIn(Checklist):
    """Before sedation."""

    title = _("Sign-in")

    def __str__(self) -> str:
        return f"sign-in {self.pk}"


class TimeOut(Checklist):
    """Before the incision, the level confirmed on the live image."""

    title = _("Time-out")

    antibiotic_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"time-out {self.pk}"


class SignOut(Checklist):
    """Before leaving the suite."""

    title = _("Sign-out")

    fluoroscopy_minutes = models.DecimalField(
        _("fluoroscopy, min"), null=True, blank=True, max_digits=5, decimal_places=1
    )
    air_kerma_mgy = models.DecimalField(
        _("air kerma, mGy"), null=True, blank=True, max_digits=7, decimal_places=1
    )
    kap_gycm2 = models.DecimalField(
        _("kerma-area product, Gy·cm²"), null=True, blank=True, max_digits=7, decimal_places=2
    )
    closure = choice(
        _("closure"), [("stitch", _("Stitch")), ("strip", _("Strips")), ("none", _("Dressing only"))]
    )

    def __str__(self) -> str:
        return f"sign-out {self.pk}"


class LevelTreatment(CaseRow):
    """One level on the day."""

    level = models.CharField(_("level"), max_length=4, choices=LEVEL_CHOICES)
    procedure = models.CharField(_("procedure"), max_length=16, choices=Procedure)
    approach = models.CharField(_("approach"), max_length=24, blank=True)
    needle = models.CharField(_("needle"), max_length=60, blank=True)
    level_confirmed = models.BooleanField(_("level confirmed on the live image"), default=False)
    balloon_ml = models.DecimalField(_("balloon, mL"), null=True, blank=True, max_digits=4, decimal_places=1)
    balloon_psi = models.PositiveSmallIntegerField(_("balloon, psi"), null=True, blank=True)
    cement_product = models.CharField(_("cement"), max_length=80, blank=True)
    cement_lot = models.CharField(_("lot"), max_length=40, blank=True)
    mixed_at = models.DateTimeField(_("mixed at"), null=True, blank=True)
    first_injection_at = models.DateTimeField(null=True, editable=False)
    last_injection_at = models.DateTimeField(null=True, editable=False)
    cement_ml = models.DecimalField(
        _("cement, mL"), default=0, max_digits=4, decimal_places=1, editable=False
    )
    leak = choice(_("leak"), LeakSite)
    stop_reason = choice(_("stopped because"), StopReason)
    outcome = choice(_("outcome"), LevelOutcome)
    remark = words(_("remark"))

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "level"], condition=models.Q(is_current=True), name="level_treated_once"
            )
        ]

    def __str__(self) -> str:
        return f"level treatment {self.pk}"


class RoomEvent(CaseRow):
    """One thing that happened in the room at a moment: a dose, vital signs, cement, an image.

    Append-only in use: a
    mistake is struck out by a later row that names it.
    """

    at = models.DateTimeField()
    kind = models.CharField(max_length=16)
    token = models.UUIDField(unique=True)
    level = models.ForeignKey(LevelTreatment, null=True, on_delete=models.PROTECT, related_name="events")
    content = models.JSONField(default=dict)
    strikes_out = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="struck_out_by")

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"room event {self.pk}"
