"""Forms of harm, new pain and bone health."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.interfaces.forms.base import ClinicForm, formfield
from vertebro_clinic.pathway.models import AdverseEvent, BoneHealth, NewPain


class AdverseEventForm(ClinicForm):
    """Report, grade, management and review of one event."""

    sections = (
        (_("What happened"), ("happened_at", "kind", "description")),
        (_("Grade"), ("sir_grade", "cirse_grade", "causality")),
        (_("After"), ("management", "review")),
    )

    class Meta:
        model = AdverseEvent
        formfield_callback = formfield
        fields = (
            "happened_at",
            "kind",
            "description",
            "sir_grade",
            "cirse_grade",
            "causality",
            "management",
            "review",
        )


class NewPainForm(ClinicForm):
    """New pain."""

    class Meta:
        model = NewPain
        formfield_callback = formfield
        fields = ("reported_at", "description", "conclusion")


class BoneHealthForm(ClinicForm):
    """Bone health."""

    class Meta:
        model = BoneHealth
        formfield_callback = formfield
        fields = ("referred_to", "dxa_t_score", "treatment", "declined_reason")
