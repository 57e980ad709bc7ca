"""Links that let a person in, and emergencies in which access was taken with a reason."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.core.models.user import User


class LinkKind(models.TextChoices):
    """What a link opens."""

    SIGN_IN = "sign_in", _("Sign-in, once")
    PATIENT = "patient", _("The patient's own page, with the date of birth")


class AccessLink(models.Model):
    """A link handed to a person. Only the hash of its token is kept."""

    kind = models.CharField(max_length=12, choices=LinkKind)
    token_hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="links")
    patient_id = models.BigIntegerField(null=True, db_index=True)
    proxy_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by_id = models.BigIntegerField(null=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} link {self.pk}"


class BrokenGlass(models.Model):
    """Access to a patient of another site, taken in an emergency for a stated reason and a few hours."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="broken_glass")
    patient_id = models.BigIntegerField(db_index=True)
    reason = models.TextField(_("reason"))
    at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"emergency access {self.pk}"
