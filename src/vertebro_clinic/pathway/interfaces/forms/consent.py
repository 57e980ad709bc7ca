"""Form of the consent."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.interfaces.forms.base import ClinicForm, formfield
from vertebro_clinic.pathway.models import Consent

_EXPLAINED = ("read_text", "risks_explained", "alternatives_explained", "evidence_explained", "has_capacity")


class ConsentForm(ClinicForm):
    """Who explained what, and both signatures."""

    sections = (
        (_("Explained"), (*_EXPLAINED, "interpreter_name", "questions")),
        (_("Signatures"), ("patient_signature", "physician_signature")),
    )

    class Meta:
        model = Consent
        formfield_callback = formfield
        fields = (*_EXPLAINED, "interpreter_name", "questions", "patient_signature", "physician_signature")
