"""Jobs are rows: taken by a worker, kept alive by its heartbeat, given back to the queue when it dies."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.models import Case


class JobState(models.TextChoices):
    """Where a job stands."""

    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class Job(models.Model):
    """One run of the engine for a case. ``key`` makes it idempotent: the same work is queued once."""

    key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=24)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="jobs")
    inputs = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=JobState, default=JobState.QUEUED, db_index=True)
    queued_at = models.DateTimeField()
    queued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=80, blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    progress = models.FloatField(default=0.0)
    message = models.CharField(max_length=200, blank=True)
    wants_cancel = models.BooleanField(default=False)
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["queued_at", "pk"]

    def __str__(self) -> str:
        return f"job {self.pk}"


class Run(models.Model):
    """A finished run.

    An immutable case folder with its manifest's hash, and what a person decided about it.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True)
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="run")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="runs")
    folder = models.CharField(max_length=200)
    manifest_hash = models.CharField(max_length=64)
    engine_version = models.CharField(max_length=40)
    made_at = models.DateTimeField()
    summary = models.JSONField(default=dict)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["-made_at"]

    def __str__(self) -> str:
        return f"run {self.pk}"
