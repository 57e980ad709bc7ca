"""Recovery: the stay, observations, scores, discharge."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.enums import YesNoUnknown
from vertebro_clinic.pathway.models.base import CaseRow, Record, choice, score, words


class RecoveryStay(Record):
    """Where the patient lies, and since when."""

    title = _("Recovery stay")

    bed = models.CharField(_("bed"), max_length=20, blank=True)
    prone_since = models.DateTimeField(null=True, editable=False)
    sample_set = models.BooleanField(_("the cement sample is hard"), default=False)
    supine_since = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"recovery stay {self.pk}"


class Observation(CaseRow):
    """Vital signs, legs and pain at one moment."""

    at = models.DateTimeField(_("at"))
    systolic = models.PositiveSmallIntegerField(_("systolic"), null=True, blank=True)
    pulse = models.PositiveSmallIntegerField(_("pulse"), null=True, blank=True)
    spo2 = models.PositiveSmallIntegerField(_("oxygen, %"), null=True, blank=True)
    pain = score(_("pain, 0 to 10"))
    legs = choice(_("legs"), [("same", _("As before")), ("deficit", _("New weakness or numbness"))])
    aldrete = score(_("Aldrete, 0 to 10"))
    padss = score(_("PADSS, 0 to 10"))
    remark = words(_("remark"))

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"observation {self.pk}"


class DischargeCheck(Record):
    """The gate before going home."""

    title = _("Discharge")

    dressing_dry = models.BooleanField(_("puncture dry"), default=False)
    drinks = models.BooleanField(_("drinks without nausea"), default=False)
    walked = models.BooleanField(_("has walked as before"), default=False)
    driver_here = models.BooleanField(_("a responsible adult takes the patient home"), default=False)
    instructions_given = models.BooleanField(
        _("written instructions and telephone numbers given"), default=False
    )
    understood = models.BooleanField(_("the patient said the instructions in their own words"), default=False)
    activity_guidance = models.BooleanField(_("activity and rehabilitation guidance given"), default=False)
    restart_plan = choice(
        _("restart of held medicines"),
        [("none", _("None held")), ("given", _("Dates given")), ("open", _("Open"))],
    )
    reversal_given = choice(_("reversal drug given"), YesNoUnknown)
    reversal_at = models.DateTimeField(_("reversal at"), null=True, blank=True)
    remark = words(_("remark"))

    def __str__(self) -> str:
        return f"discharge {self.pk}"
