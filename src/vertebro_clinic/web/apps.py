"""Django's entry to the pages."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Pages."""

    name = "vertebro_clinic.web"
    label = "web"
    verbose_name = "Pages"
