"""Forms of eligibility and of the choice of procedure."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.enums import Severity
from vertebro_clinic.pathway.interfaces.forms.base import ClinicForm, formfield
from vertebro_clinic.pathway.models import Eligibility, LevelChoice, ProcedureChoice

PREFIX = "override_"


class EligibilityForm(ClinicForm):
    """The decision, with one line for the reason of each override."""

    sections = ((_("Tumour board"), ("mdt", "mdt_note")), (_("Decision"), ("note",)))

    class Meta:
        model = Eligibility
        formfield_callback = formfield
        fields = ("mdt", "mdt_note", "note")

    def __init__(self, *args: Any, findings: list[dict[str, Any]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.findings = findings or []
        for row in self.findings:
            if row["severity"] == Severity.BLOCK and row["rule"] != "incomplete":
                name = PREFIX + row["rule"]
                self.fields[name] = forms.CharField(
                    label=_("Reason for going on all the same"), required=False, max_length=500
                )
                self.initial[name] = (self.instance.overrides or {}).get(row["rule"], "")

    def overrides(self) -> dict[str, str]:
        """The reasons by rule."""
        return {
            name.removeprefix(PREFIX): value
            for name, value in self.cleaned_data.items()
            if name.startswith(PREFIX) and value
        }

    def values(self) -> dict[str, Any]:
        """Without the reasons, which are passed on their own."""
        return {name: value for name, value in super().values().items() if not name.startswith(PREFIX)}

    def lines(self) -> list[tuple[dict[str, Any], forms.BoundField | None]]:
        """Each finding with the field for its reason, if it stops."""
        return [
            (row, self[PREFIX + row["rule"]] if PREFIX + row["rule"] in self.fields else None)
            for row in self.findings
        ]

    def laid_out(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """Without the reasons, which stand beside their findings."""
        return [(title, [self[name] for name in names]) for title, names in self.sections]


class ProcedureChoiceForm(ClinicForm):
    """Why, and with which sedation."""

    class Meta:
        model = ProcedureChoice
        formfield_callback = formfield
        fields = ("sedation", "reason")


class LevelChoiceForm(ClinicForm):
    """The procedure for one level."""

    class Meta:
        model = LevelChoice
        formfield_callback = formfield
        fields = ("level", "procedure", "approach")
