"""The form renderer."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    """Renders field groups (`BoundField.as_field_group`) with templates/includes/field.html."""

    field_template_name = "includes/field.html"
