"""Sites and who works at them. Everything that differs between sites and that a patient reads is here."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.core.models.user import User
from vertebro_clinic.core.roles import Role


class Fasting(models.TextChoices):
    """Which fasting rule a site has chosen."""

    MIDNIGHT = "midnight", _("Nothing after midnight")
    HOURS = "hours", _("Clear liquids until 2 h, light meal until 6 h before")


def default_zone() -> str:
    """The zone of sites that name none (the setting ``site_zone``)."""
    return str(settings.SITE_ZONE)


class Site(models.Model):
    """A place where patients are seen, with its own clock, telephone numbers and chosen policies."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    short_name = models.CharField(_("short name"), max_length=40)
    department = models.CharField(_("department"), max_length=120, default="Interventional Radiology")
    zone = models.CharField(_("time zone"), max_length=64, default=default_zone)
    address = models.CharField(_("address"), max_length=240, blank=True)
    appointment_phone = models.CharField(_("appointments"), max_length=40)
    problem_phone = models.CharField(_("problems, day and night"), max_length=40)
    is_open = models.BooleanField(_("takes patients"), default=True)
    services = models.JSONField(_("imaging services"), default=list, blank=True)
    fasting = models.CharField(_("fasting rule"), max_length=12, choices=Fasting, default=Fasting.MIDNIGHT)
    minutes_per_level = models.PositiveSmallIntegerField(_("minutes per level"), default=60)
    prone_minutes = models.PositiveSmallIntegerField(_("minutes prone after cement"), default=20)
    supine_minutes = models.PositiveSmallIntegerField(_("minutes supine"), default=120)
    recovery_minutes = models.PositiveSmallIntegerField(_("least minutes of recovery"), default=120)
    pain_threshold = models.PositiveSmallIntegerField(_("pain that justifies treatment (0–10)"), default=5)
    imaging_fresh_days = models.PositiveSmallIntegerField(_("days that imaging stays fresh"), default=42)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def tz(self) -> ZoneInfo:
        """The site's clock."""
        return ZoneInfo(self.zone)


class Membership(models.Model):
    """One role of one person at one site. Ended, never deleted."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(_("role"), max_length=16, choices=Role)
    since = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "site", "role"],
                condition=models.Q(ended_at__isnull=True),
                name="one_running_membership",
            )
        ]

    def __str__(self) -> str:
        return f"{self.role} at {self.site_id}"
