"""After going home: calls, visits, questionnaires."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.enums import YesNoUnknown
from vertebro_clinic.pathway.models.base import CaseRow, choice, score, words
from vertebro_clinic.pathway.models.case import Task


class FollowUpContact(CaseRow):
    """One call or visit, with the script's answers."""

    task = models.ForeignKey(
        Task, null=True, on_delete=models.PROTECT, related_name="contacts", editable=False
    )
    at = models.DateTimeField(_("at"))
    reached = models.BooleanField(_("reached"), default=True)
    pain_now = score(_("pain now, 0 to 10"))
    pain_moving = score(_("pain when moving, 0 to 10"))
    analgesia = choice(
        _("pain medicine"),
        [("none", _("None")), ("less", _("Less")), ("same", _("Same")), ("more", _("More"))],
    )
    walking = choice(_("walks"), [("better", _("Better")), ("same", _("Same")), ("worse", _("Worse"))])
    leg_weakness = choice(_("weakness or numbness in the legs"), YesNoUnknown)
    bladder_bowel = choice(_("trouble with bladder or bowel"), YesNoUnknown)
    breathing = choice(_("short of breath or chest pain"), YesNoUnknown)
    fever_wound = choice(_("fever, or a red or leaking wound"), YesNoUnknown)
    new_pain = choice(_("new pain at another place"), YesNoUnknown)
    restarted = choice(_("held medicines restarted"), [*YesNoUnknown.choices, ("none", _("None held"))])
    physician_date = models.DateField(_("visit to own physician on"), null=True, blank=True)
    remark = words(_("remark"))

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"contact {self.pk}"


class OutcomeScore(CaseRow):
    """Questionnaire results at one time point."""

    task = models.ForeignKey(Task, null=True, on_delete=models.PROTECT, related_name="scores", editable=False)
    at = models.DateTimeField(_("at"))
    time_point = models.CharField(max_length=16, editable=False, default="")
    by_patient = models.BooleanField(default=False, editable=False)
    pain_now = score(_("pain, 0 to 10"))
    odi_percent = score(_("ODI, %"), upper=100)
    rmdq = score(_("RMDQ, 0 to 24"), upper=24)
    qualeffo = score(_("QUALEFFO-41, 0 to 100"), upper=100)
    eq5d_state = models.CharField(_("EQ-5D state, five digits"), max_length=5, blank=True)
    eq_vas = score(_("EQ VAS, 0 to 100"), upper=100)
    opioid = choice(_("opioids"), YesNoUnknown)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"outcome {self.pk}"
