"""Decisions: is the patient suitable, and which procedure for which level."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.enums import Procedure
from vertebro_clinic.pathway.models.base import CaseRow, Record, choice, words
from vertebro_clinic.pathway.models.imaging import LEVEL_CHOICES


class Eligibility(Record):
    """The findings of the rules as they stood when the radiologist decided, and what was overridden why."""

    title = _("Eligibility")

    findings = models.JSONField(default=list, editable=False)
    overrides = models.JSONField(default=dict, editable=False)
    mdt = choice(
        _("tumour board"),
        [("not_needed", _("Not needed")), ("agreed", _("Agreed")), ("disagreed", _("Did not agree"))],
    )
    mdt_note = models.CharField(_("who took part, when"), max_length=200, blank=True)
    note = words(_("note"))

    def __str__(self) -> str:
        return f"eligibility {self.pk}"


class ProcedureChoice(Record):
    """Which procedure, and why."""

    title = _("Choice of procedure")

    sedation = choice(
        _("sedation"),
        [
            ("moderate", _("Moderate sedation")),
            ("local", _("Local anaesthetic only")),
            ("general", _("Anaesthetist")),
        ],
    )
    reason = words(_("reasons: location, severity, age of the fracture"))

    def __str__(self) -> str:
        return f"choice {self.pk}"


class LevelChoice(CaseRow):
    """The procedure for one level."""

    chosen = models.ForeignKey(
        ProcedureChoice, on_delete=models.PROTECT, related_name="levels", editable=False
    )
    level = models.CharField(_("level"), max_length=4, choices=LEVEL_CHOICES)
    procedure = models.CharField(_("procedure"), max_length=16, choices=Procedure)
    approach = choice(
        _("approach"),
        [
            ("bipedicular", _("Both pedicles")),
            ("left", _("Left pedicle")),
            ("right", _("Right pedicle")),
            ("extrapedicular", _("Beside the pedicle")),
        ],
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["chosen", "level"], condition=models.Q(is_current=True), name="level_once_per_choice"
            )
        ]

    def __str__(self) -> str:
        return f"level choice {self.pk}"
