"""Forms of the day: check-in, sign-out, what was done to a level."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.interfaces.forms.base import ClinicForm, formfield
from vertebro_clinic.pathway.models import CheckIn, LevelTreatment, SignOut

_SAFE = ("fasted", "last_meal", "doses_as_planned", "driver_present", "pregnancy", "nursing", "infection")
_VITALS = ("systolic", "diastolic", "pulse", "spo2", "weight_kg", "legs_normal")


class CheckInForm(ClinicForm):
    """Arrival."""

    sections = (
        (_("Who and how"), ("identity_checked", "pain_now", "improved")),
        (_("Ready"), _SAFE),
        (_("Vital signs"), _VITALS),
        (_("Remark"), ("remark",)),
    )

    class Meta:
        model = CheckIn
        formfield_callback = formfield
        fields = ("identity_checked", "pain_now", "improved", *_SAFE, *_VITALS, "remark")


class SignOutForm(ClinicForm):
    """Dose and closure."""

    class Meta:
        model = SignOut
        formfield_callback = formfield
        fields = ("fluoroscopy_minutes", "air_kerma_mgy", "kap_gycm2", "closure", "remark")


class LevelTreatmentForm(ClinicForm):
    """One level on the day."""

    sections = (
        (_("Access"), ("level_confirmed", "approach", "needle")),
        (_("Balloon"), ("balloon_ml", "balloon_psi")),
        (_("Cement"), ("cement_product", "cement_lot", "mixed_at")),
        (_("End"), ("leak", "stop_reason", "outcome", "remark")),
    )

    class Meta:
        model = LevelTreatment
        formfield_callback = formfield
        fields = (
            "level_confirmed",
            "approach",
            "needle",
            "balloon_ml",
            "balloon_psi",
            "cement_product",
            "cement_lot",
            "mixed_at",
            "leak",
            "stop_reason",
            "outcome",
            "remark",
        )
