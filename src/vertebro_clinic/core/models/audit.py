"""The audit log: one row for every read and write of a patient's record, chained by hashes.

The database itself refuses to change or delete a row (:mod:`vertebro_clinic.core.guards`).
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.core.roles import ActorKind


class AuditEntry(models.Model):
    """Who did what to whose record, when; ``hash`` covers the row and the hash before it. Holds no names."""

    sequence = models.PositiveBigIntegerField(unique=True)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10, choices=ActorKind)
    user_id = models.BigIntegerField(null=True, db_index=True)
    action = models.CharField(_("action"), max_length=60)
    is_write = models.BooleanField()
    patient_id = models.BigIntegerField(null=True)
    case_id = models.BigIntegerField(null=True)
    site_id = models.BigIntegerField(null=True)
    detail = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["sequence"]
        indexes = [models.Index(fields=["patient_id", "-sequence"], name="audit_by_patient")]

    def __str__(self) -> str:
        return f"audit {self.sequence}"


class AuditHead(models.Model):
    """The end of the chain, locked while an entry is added: its length and last hash."""

    length = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)

    def __str__(self) -> str:
        return f"audit head at {self.length}"
