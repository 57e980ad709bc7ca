"""Making the patient ready: held medicines, laboratory values, fasting, driver, the call before the day."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.enums import HoldState, YesNoUnknown
from vertebro_clinic.pathway.models.base import CaseRow, Record, choice, words
from vertebro_clinic.pathway.models.patient import Medicine


class Preparation(Record):
    """What must be settled before the call."""

    title = _("Preparation")

    fasting_told = models.BooleanField(_("the patient knows when to stop eating and drinking"), default=False)
    driver = models.CharField(_("who drives the patient home"), max_length=120, blank=True)
    needs_transport = models.BooleanField(_("has no driver: we help with transport"), default=False)
    adult_at_home = choice(_("an adult at home that night"), YesNoUnknown)
    images_to_bring = models.BooleanField(_("told to bring earlier images, reports and discs"), default=False)
    medicines_reviewed = models.BooleanField(_("all medicines reviewed with the patient"), default=False)
    no_holds_needed = models.BooleanField(_("no medicine has to be stopped"), default=False)
    infection_signs = choice(_("fever or infection"), YesNoUnknown)
    remark = words(_("remark"))

    def __str__(self) -> str:
        return f"preparation {self.pk}"


class MedicationHold(CaseRow):
    """One medicine on its way from planned stop to restart: a region of its own beside the main line."""

    medicine = models.ForeignKey(
        Medicine, on_delete=models.PROTECT, related_name="holds", verbose_name=_("medicine")
    )
    state = models.CharField(max_length=14, choices=HoldState, default=HoldState.PLANNED, editable=False)
    last_dose_on = models.DateField(_("last dose on"), null=True, blank=True)
    restart_on = models.DateField(_("restart on"), null=True, blank=True)
    policy = models.CharField(_("policy"), max_length=160, blank=True)
    approved_by_name = models.CharField(_("approved by (prescriber)"), max_length=120, blank=True)
    approved_at = models.DateTimeField(null=True, editable=False)
    approval_recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    remark = words(_("remark"))

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"hold {self.pk}"


class LabKind(models.TextChoices):
    """Values that matter before a needle."""

    INR = "inr", _("INR")
    PLATELETS = "platelets", _("Platelets, 10⁹/L")
    HAEMOGLOBIN = "haemoglobin", _("Haemoglobin, g/dL")
    CREATININE = "creatinine", _("Creatinine, mg/dL")
    EGFR = "egfr", _("eGFR, mL/min")
    PREGNANCY = "pregnancy", _("Pregnancy test (1 positive, 0 negative)")


class LabResult(CaseRow):
    """One laboratory value."""

    kind = models.CharField(_("value of"), max_length=12, choices=LabKind)
    value = models.DecimalField(_("value"), max_digits=8, decimal_places=2)
    taken_on = models.DateField(_("taken on"))

    class Meta:
        ordering = ["-taken_on", "-pk"]

    def __str__(self) -> str:
        return f"lab {self.pk}"


class PrecallState(models.TextChoices):
    """How one attempt to call went."""

    REACHED = "reached", _("Reached")
    NO_ANSWER = "no_answer", _("No answer")
    CALL_BACK = "call_back", _("Asked to call back")


class Precall(Record):
    """The call by a nurse or technologist one to two days before."""

    title = _("Call before the day")

    state = choice(_("how it went"), PrecallState)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=1)
    medicines_asked = models.BooleanField(_("pain medicines and blood thinners asked"), default=False)
    last_doses = words(_("last doses taken"))
    allergies_asked = models.BooleanField(_("allergies asked"), default=False)
    history_asked = models.BooleanField(_("medical history asked"), default=False)
    questions_answered = models.BooleanField(_("questions answered"), default=False)
    driver_confirmed = models.BooleanField(_("driver confirmed"), default=False)
    fasting_confirmed = models.BooleanField(_("fasting explained again"), default=False)
    images_confirmed = models.BooleanField(_("images will be brought"), default=False)
    pregnant_or_nursing = choice(_("pregnant or nursing"), YesNoUnknown)
    remark = words(_("remark"))

    def __str__(self) -> str:
        return f"precall {self.pk}"
