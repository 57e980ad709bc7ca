"""Django's entry to the pathway."""

from __future__ import annotations

from django.apps import AppConfig


class PathwayConfig(AppConfig):
    """The pathway of a patient."""

    name = "vertebro_clinic.pathway"
    label = "pathway"
    verbose_name = "Pathway"
