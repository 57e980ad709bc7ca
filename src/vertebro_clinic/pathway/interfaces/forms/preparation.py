"""Forms of preparation, held medicines, laboratory values and the call before the day."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.interfaces.forms.base import ClinicForm, formfield
from vertebro_clinic.pathway.models import Allergy, LabResult, MedicationHold, Medicine, Precall, Preparation
from vertebro_clinic.pathway.models.patient import HOLDABLE


class PreparationForm(ClinicForm):
    """What must be settled."""

    sections = (
        (_("Medicines"), ("medicines_reviewed", "no_holds_needed")),
        (
            _("The day"),
            (
                "fasting_told",
                "driver",
                "needs_transport",
                "adult_at_home",
                "images_to_bring",
                "infection_signs",
            ),
        ),
        (_("Remark"), ("remark",)),
    )

    class Meta:
        model = Preparation
        formfield_callback = formfield
        fields = (
            "medicines_reviewed",
            "no_holds_needed",
            "fasting_told",
            "driver",
            "needs_transport",
            "adult_at_home",
            "images_to_bring",
            "infection_signs",
            "remark",
        )


class MedicationHoldForm(ClinicForm):
    """One medicine that is stopped, or decidedly not."""

    class Meta:
        model = MedicationHold
        formfield_callback = formfield
        fields = ("medicine", "policy", "last_dose_on", "restart_on", "approved_by_name", "remark")

    def __init__(self, *args: Any, patient_id: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if patient_id is not None:
            field: Any = self.fields["medicine"]
            field.queryset = Medicine.objects.filter(
                patient_id=patient_id, ended_at=None, kind__in=[*HOLDABLE, "unknown", "other", "pain"]
            )
            field.label_from_instance = lambda medicine: f"{medicine.name} {medicine.dose}".strip()


class LabResultForm(ClinicForm):
    """One value."""

    class Meta:
        model = LabResult
        formfield_callback = formfield
        fields = ("kind", "value", "taken_on")


class MedicineForm(ClinicForm):
    """A medicine that the patient takes."""

    class Meta:
        model = Medicine
        formfield_callback = formfield
        fields = ("name", "dose", "reason", "prescriber", "kind", "remark")


class AllergyForm(ClinicForm):
    """Something the patient reacts to."""

    class Meta:
        model = Allergy
        formfield_callback = formfield
        fields = ("substance", "reaction")


class PrecallForm(ClinicForm):
    """The script of the call."""

    sections = (
        (_("The call"), ("state", "attempts")),
        (
            _("Asked"),
            ("medicines_asked", "last_doses", "allergies_asked", "history_asked", "pregnant_or_nursing"),
        ),
        (
            _("Confirmed"),
            ("driver_confirmed", "fasting_confirmed", "images_confirmed", "questions_answered", "remark"),
        ),
    )

    class Meta:
        model = Precall
        formfield_callback = formfield
        fields = (
            "state",
            "attempts",
            "medicines_asked",
            "last_doses",
            "allergies_asked",
            "history_asked",
            "pregnant_or_nursing",
            "driver_confirmed",
            "fasting_confirmed",
            "images_confirmed",
            "questions_answered",
            "remark",
        )
