"""Forms of the request from the public page and of the referral."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.core.models import Site
from vertebro_clinic.pathway.interfaces.forms.base import ClinicForm, formfield
from vertebro_clinic.pathway.models import AppointmentRequest, Patient, Referral

_PAIN = ("onset_date", "pain_now", "pain_worst", "cause", "symptoms", "better_lying", "leg_pain_worse")
_TRIED = ("medicine_relief", "medicines_tried", "bed_rest_days", "brace")
_FLAGS = ("leg_weakness", "bladder_bowel", "fever", "weight_loss", "cancer")
_ALSO = ("implants", "thinners", "medicines", "allergies")


def _plausible_birth(value: Any) -> Any:
    today = timezone.now().date()
    if value > today or today.year - value.year > 120:
        raise forms.ValidationError(_now("Please check the date of birth."))
    return value


class RequestForm(ClinicForm):
    """What the public page asks. ``website`` is a trap for programs: people do not see it."""

    website = forms.CharField(required=False, label=_("Leave this empty"))
    agree = forms.BooleanField(label=_("You may contact me about this request"))
    sections = (
        (_("About you"), ("given_name", "family_name", "birth_date", "phone", "email", "language", "site")),
        (_("Your pain"), _PAIN),
        (_("What was tried"), _TRIED),
        (_("Please tell us: these may need help sooner"), _FLAGS),
        (_("Also important"), (*_ALSO, "physician_name", "question", "agree")),
    )

    class Meta:
        model = AppointmentRequest
        formfield_callback = formfield
        fields = (
            "given_name",
            "family_name",
            "birth_date",
            "phone",
            "email",
            "language",
            "site",
            *_PAIN,
            *_TRIED,
            *_FLAGS,
            *_ALSO,
            "physician_name",
            "question",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["site"].queryset = Site.objects.filter(is_open=True)  # type: ignore[attr-defined]
        self.fields["site"].empty_label = None  # type: ignore[attr-defined]
        del self.fields["version"]

    def clean_birth_date(self) -> Any:
        """A date that a living person can have."""
        return _plausible_birth(self.cleaned_data["birth_date"])

    def clean_website(self) -> str:
        """Filled in only by programs."""
        if self.cleaned_data["website"]:
            raise forms.ValidationError(_now("Leave this empty."))
        return ""

    def clean_onset_date(self) -> Any:
        """Pain cannot begin tomorrow."""
        value = self.cleaned_data["onset_date"]
        if value and value > timezone.now().date():
            raise forms.ValidationError(_now("This date is in the future."))
        return value

    def values(self) -> dict[str, Any]:
        """Without the trap and the tick."""
        skipped = {"website", "agree"}
        return {name: value for name, value in self.cleaned_data.items() if name not in skipped}


class ReferralForm(ClinicForm):
    """The referral as the clinic keeps it."""

    sections = (
        (_("Pain"), _PAIN),
        (_("Tried so far"), _TRIED),
        (_("Red flags"), _FLAGS),
        (
            _("Background"),
            ("midline_tender", "known_osteoporosis", "earlier_fracture", "steroids", *_ALSO, "question"),
        ),
    )

    class Meta:
        model = Referral
        formfield_callback = formfield
        fields = (
            *_PAIN,
            *_TRIED,
            *_FLAGS,
            "midline_tender",
            "known_osteoporosis",
            "earlier_fracture",
            "steroids",
            *_ALSO,
            "question",
        )


class PatientForm(ClinicForm):
    """Who the patient is and how to reach them."""

    sections = (
        (
            _("Person"),
            ("given_name", "family_name", "birth_date", "sex", "language", "interpreter", "record_number"),
        ),
        (_("How to reach"), ("phone", "email", "address", "emergency_contact")),
        (_("Own physician"), ("physician_name", "physician_contact")),
    )

    class Meta:
        model = Patient
        formfield_callback = formfield
        fields = (
            "given_name",
            "family_name",
            "birth_date",
            "sex",
            "language",
            "interpreter",
            "record_number",
            "phone",
            "email",
            "address",
            "emergency_contact",
            "physician_name",
            "physician_contact",
        )

    def clean_birth_date(self) -> Any:
        """A date that a living person can have."""
        return _plausible_birth(self.cleaned_data["birth_date"])
