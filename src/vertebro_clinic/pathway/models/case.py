"""The case: one pathway of one patient at one site, its moves, and the work that is due beside them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.core.models import Site
from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.enums import Event, Stage, TaskKind, TaskOutcome
from vertebro_clinic.pathway.models.base import CaseRow, Kept
from vertebro_clinic.pathway.models.patient import Patient


class Case(Kept):
    """One journey from referral to follow-up. ``stage`` is written by the transition table alone."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="cases")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="cases")
    referrer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="referred_cases",
    )
    stage = models.CharField(max_length=20, choices=Stage, default=Stage.REFERRED, editable=False)
    stage_since = models.DateTimeField()
    stage_before = models.CharField(max_length=20, choices=Stage, blank=True, editable=False)
    round = models.PositiveSmallIntegerField(default=1, editable=False)
    is_urgent = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["site", "stage", "stage_since"], name="case_board"),
            models.Index(fields=["patient", "-stage_since"], name="case_of_patient"),
        ]

    def __str__(self) -> str:
        return f"case {self.pk}"


class Move(models.Model):
    """One step of a case: the timeline's backbone. Append-only by the database."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="moves")
    at = models.DateTimeField()
    event = models.CharField(max_length=24, choices=Event)
    from_stage = models.CharField(max_length=20, choices=Stage)
    to_stage = models.CharField(max_length=20, choices=Stage)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    actor_kind = models.CharField(max_length=10)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"move {self.pk}"


class Task(CaseRow):
    """Work that is due at a time: a call, a questionnaire, a medicine to restart."""

    kind = models.CharField(max_length=24, choices=TaskKind)
    role = models.CharField(max_length=16, choices=Role)
    due_at = models.DateTimeField(db_index=True)
    due_end = models.DateTimeField(null=True, blank=True)
    note = models.TextField(_("note"), blank=True)
    hold = models.ForeignKey(
        "pathway.MedicationHold", null=True, on_delete=models.PROTECT, related_name="tasks"
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    last_attempt_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True, db_index=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    outcome = models.CharField(max_length=12, choices=TaskOutcome, blank=True)

    class Meta:
        ordering = ["due_at", "pk"]

    def __str__(self) -> str:
        return f"task {self.pk}"
