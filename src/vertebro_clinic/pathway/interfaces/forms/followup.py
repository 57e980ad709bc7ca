"""Forms after going home."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.interfaces.forms.base import ClinicForm, formfield
from vertebro_clinic.pathway.models import FollowUpContact, OutcomeScore


class ContactForm(ClinicForm):
    """The script of a call."""

    sections = (
        (_("The call"), ("at", "reached")),
        (_("Pain and function"), ("pain_now", "pain_moving", "analgesia", "walking")),
        (_("Red flags"), ("leg_weakness", "bladder_bowel", "breathing", "fever_wound", "new_pain")),
        (_("Next"), ("restarted", "physician_date", "remark")),
    )

    class Meta:
        model = FollowUpContact
        formfield_callback = formfield
        fields = (
            "at",
            "reached",
            "pain_now",
            "pain_moving",
            "analgesia",
            "walking",
            "leg_weakness",
            "bladder_bowel",
            "breathing",
            "fever_wound",
            "new_pain",
            "restarted",
            "physician_date",
            "remark",
        )


class OutcomeForm(ClinicForm):
    """Questionnaire results entered by staff."""

    class Meta:
        model = OutcomeScore
        formfield_callback = formfield
        fields = ("at", "pain_now", "odi_percent", "rmdq", "qualeffo", "eq5d_state", "eq_vas", "opioid")


class OwnOutcomeForm(ClinicForm):
    """What a patient answers on their own page."""

    class Meta:
        model = OutcomeScore
        formfield_callback = formfield
        fields = ("pain_now", "opioid")
