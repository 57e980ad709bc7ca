"""What a person may be at a site."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """A role of a member of staff, or of a referring physician, at one site."""

    REFERRER = "referrer", _("Referring physician")
    SCHEDULER = "scheduler", _("Scheduler")
    NURSE = "nurse", _("Nurse or technologist")
    RADIOLOGIST = "radiologist", _("Radiologist")
    QUALITY = "quality", _("Quality lead")
    ADMINISTRATOR = "administrator", _("Administrator")


CARE_ROLES = frozenset({Role.SCHEDULER, Role.NURSE, Role.RADIOLOGIST})
"""Who sees every patient of their sites in order to care for them."""

READING_ROLES = CARE_ROLES | {Role.QUALITY}
"""Who sees every patient of their sites; the quality lead reads only."""

GLASS_ROLES = frozenset({Role.NURSE, Role.RADIOLOGIST})
"""Who may open another site's patient in an emergency, with a reason."""


class ActorKind(models.TextChoices):
    """Who stands behind an action."""

    USER = "user", _("Signed-in person")
    PATIENT = "patient", _("Patient")
    PROXY = "proxy", _("Person named by the patient")
    PUBLIC = "public", _("Visitor")
    SYSTEM = "system", _("The clinic itself")
