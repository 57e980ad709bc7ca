"""Forms are drawn by our own templates."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class ClinicFormRenderer(TemplatesSetting):
    """Look for widgets' templates among the clinic's own, then Django's."""

    form_template_name = "clinic/form.html"
    field_template_name = "clinic/field.html"
