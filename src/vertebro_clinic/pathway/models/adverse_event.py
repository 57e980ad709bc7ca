"""Harm, from report to review."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.enums import AdverseState
from vertebro_clinic.pathway.models.base import CaseRow, choice, words

SIR_GRADES = [
    ("1", _("1: mild")),
    ("2", _("2: moderate")),
    ("3", _("3: severe")),
    ("4", _("4: life-threatening or disabling")),
    ("5", _("5: death")),
]
CIRSE_GRADES = [
    ("1", _("1: solved in the same session")),
    ("2", _("2: longer observation, under 48 h")),
    ("3", _("3: more therapy or over 48 h, no sequelae")),
    ("4", _("4: mild sequelae")),
    ("5", _("5: severe sequelae")),
    ("6", _("6: death")),
]


class AdverseEvent(CaseRow):
    """One event: SIR 2017 and CIRSE 2017 grades, each stored with its scale's version."""

    state = models.CharField(max_length=10, choices=AdverseState, default=AdverseState.OPEN, editable=False)
    happened_at = models.DateTimeField(_("happened at"))
    kind = models.CharField(
        _("kind"),
        max_length=16,
        choices=[
            ("leak", _("Cement leak")),
            ("neuro", _("New nerve deficit")),
            ("embolism", _("Cement in the lung")),
            ("bleeding", _("Bleeding")),
            ("infection", _("Infection")),
            ("allergy", _("Allergic reaction")),
            ("sedation", _("Sedation")),
            ("fracture", _("New fracture")),
            ("pain", _("More pain than before")),
            ("other", _("Other")),
        ],
    )
    description = words(_("what happened"))
    sir_grade = choice(_("SIR 2017 grade"), SIR_GRADES)
    cirse_grade = choice(_("CIRSE 2017 grade"), CIRSE_GRADES)
    scale_version = models.CharField(max_length=40, default="SIR 2017; CIRSE 2017", editable=False)
    causality = choice(
        _("caused by the procedure"), [("1", _("1: no")), ("2", _("2: unknown")), ("3", _("3: yes"))]
    )
    management = words(_("what was done"))
    review = words(_("what we learn"))

    class Meta:
        ordering = ["-happened_at"]

    def __str__(self) -> str:
        return f"adverse event {self.pk}"


class NewPain(CaseRow):
    """Pain that is new after treatment: another look at the spine."""

    state = models.CharField(max_length=12, default="reported", editable=False)
    reported_at = models.DateTimeField(_("reported at"))
    description = words(_("where and since when"))
    conclusion = words(_("what it was"))

    def __str__(self) -> str:
        return f"new pain {self.pk}"


class BoneHealth(CaseRow):
    """Care for the disease behind the fracture, wanted for every patient."""

    state = models.CharField(max_length=12, default="to_refer", editable=False)
    referred_to = models.CharField(_("referred to"), max_length=160, blank=True)
    dxa_t_score = models.DecimalField(
        _("lowest T-score"), null=True, blank=True, max_digits=4, decimal_places=1
    )
    treatment = models.CharField(_("treatment"), max_length=200, blank=True)
    declined_reason = models.CharField(_("declined because"), max_length=200, blank=True)

    def __str__(self) -> str:
        return f"bone health {self.pk}"
