"""Consent: what was explained in which words, and who signed."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.models.base import Record, words


class Consent(Record):
    """One signed consent. The text's version and language are kept with it."""

    title = _("Consent")

    text_version = models.CharField(max_length=20, editable=False, default="")
    language = models.CharField(max_length=5, editable=False, default="en")
    read_text = models.BooleanField(_("the patient has read the text or had it read to them"), default=False)
    risks_explained = models.BooleanField(_("risks explained"), default=False)
    alternatives_explained = models.BooleanField(_("alternatives explained"), default=False)
    evidence_explained = models.BooleanField(_("evidence for and against explained"), default=False)
    has_capacity = models.BooleanField(_("the patient can decide"), default=False)
    interpreter_name = models.CharField(_("interpreter"), max_length=120, blank=True)
    questions = words(_("questions asked and answers given"))
    patient_signature = models.CharField(_("patient's name as signature"), max_length=160, blank=True)
    patient_drawing = models.TextField(blank=True, editable=False)
    patient_signed_at = models.DateTimeField(null=True, editable=False)
    physician_signature = models.CharField(_("physician's name as signature"), max_length=160, blank=True)

    def __str__(self) -> str:
        return f"consent {self.pk}"
