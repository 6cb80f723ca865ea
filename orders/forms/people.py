"""The login form, and the form of personal settings."""

from __future__ import annotations

import functools
import zoneinfo
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, UsernameField

from orders.models import Profile


class LoginForm(AuthenticationForm):
    username = UsernameField(
        label="User name", widget=forms.TextInput(attrs={"autofocus": True, "spellcheck": "false"})
    )
    error_messages = {
        "invalid_login": "User name and password do not match. Both are case-sensitive.",
        "inactive": "This account is switched off. An admin can switch it on.",
    }


class SettingsForm(forms.ModelForm):
    time_zone = forms.ChoiceField(
        required=False,
        label="Time zone",
        help_text="All times are shown in it, and dates you type are read in it.",
        error_messages={"invalid_choice": "There is no time zone of that name."},
    )

    class Meta:
        model = Profile
        fields = ["time_zone", "theme", "density", "has_shortcuts"]
        labels = {
            "density": "Lists",
            "has_shortcuts": "Single keys do something (press ? for which)",
        }
        widgets = {"theme": forms.RadioSelect, "density": forms.RadioSelect}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        default = ("", f"As the dashboard ({settings.TIME_ZONE})")
        time_zone = cast(forms.ChoiceField, self.fields["time_zone"])
        time_zone.choices = [default, *((name, name) for name in time_zones())]


@functools.cache
def time_zones() -> tuple[str, ...]:
    """Return the names of all regional time zones of this machine, read from disk once."""
    names = zoneinfo.available_timezones()
    return tuple(sorted(name for name in names if "/" in name or name == "UTC"))
