"""The booked time: suite, people and bed of one procedure."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.models.base import CaseRow


class Booking(CaseRow):
    """One procedure's time. Cancelled by retiring it, never deleted."""

    starts_at = models.DateTimeField(_("start"))
    minutes = models.PositiveSmallIntegerField(_("minutes in the suite"))
    recovery_minutes = models.PositiveSmallIntegerField(_("minutes of recovery"))
    room = models.CharField(_("suite"), max_length=60)
    biplane = models.BooleanField(_("biplane"), default=True)
    radiologist = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="booked_cases"
    )

    class Meta:
        ordering = ["starts_at"]

    def __str__(self) -> str:
        return f"booking {self.pk}"
