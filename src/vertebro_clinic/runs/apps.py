"""Django's entry to the runs."""

from __future__ import annotations

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """Jobs of the engine."""

    name = "vertebro_clinic.runs"
    label = "runs"
    verbose_name = "Engine runs"
