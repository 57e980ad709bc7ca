"""Form of the consultation."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.interfaces.forms.base import ClinicForm, formfield
from vertebro_clinic.pathway.models import Consultation

_PAIN = ("held_on", "pain_now", "pain_worst", "course", "odi_percent", "rmdq", "walking")
_EXAM = ("pain_at_level", "neuro_normal", "radicular")
_TRIED = ("analgesia_relief", "analgesia", "conservative_weeks")
_SAFE = (
    "can_lie_prone",
    "infection_now",
    "bleeding_disorder",
    "cement_allergy",
    "pregnancy",
    "nursing",
    "severe_heart_lung",
    "asa_class",
    "other_conditions",
)


class ConsultationForm(ClinicForm):
    """The structured note."""

    sections = (
        (_("Pain and function"), _PAIN),
        (_("Examination"), _EXAM),
        (_("Treatment so far"), _TRIED),
        (_("Safety"), _SAFE),
        (_("Talk"), ("goals", "note", "discussed")),
    )

    class Meta:
        model = Consultation
        formfield_callback = formfield
        fields = (*_PAIN, *_EXAM, *_TRIED, *_SAFE, "goals", "note", "discussed")
