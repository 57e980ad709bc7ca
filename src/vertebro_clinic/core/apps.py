"""Django's entry to the core."""

from __future__ import annotations

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """People, sites, access and the audit log."""

    name = "vertebro_clinic.core"
    label = "core"
    verbose_name = "People, sites and access"
