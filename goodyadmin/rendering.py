"""How forms are rendered."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    """Field groups (`BoundField.as_field_group`) come from templates/includes/field.html."""

    field_template_name = "includes/field.html"
