"""The login form, and the form of personal settings."""

from __future__ import annotations

import functools
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, UsernameField

from orders.models import Profile
from orders.time_zones import canonical_zone_name, zone_names


class LoginForm(AuthenticationForm):
    username = UsernameField(
        label="User name", widget=forms.TextInput(attrs={"autofocus": True, "spellcheck": "false"})
    )
    error_messages = {
        "invalid_login": "User name and password do not match. Both are case-sensitive.",
        "inactive": "This account is switched off. An admin can switch it on.",
    }


class TimeZoneField(forms.ChoiceField):
    """A time zone; "" for the dashboard's. An alias is replaced by its canonical name."""

    def to_python(self, value: Any) -> str:
        return canonical_zone_name(str(value)) or str(value) if value else ""

    def prepare_value(self, value: Any) -> str:
        """Select the zone of an alias that was stored before."""
        return canonical_zone_name(value) or value


class SettingsForm(forms.ModelForm):
    time_zone = TimeZoneField(
        required=False,
        label="Time zone",
        error_messages={"invalid_choice": "There is no time zone of that name."},
    )

    class Meta:
        model = Profile
        fields = ["time_zone", "theme", "density", "has_shortcuts"]
        labels = {"density": "Lists", "has_shortcuts": "Single-key shortcuts"}
        widgets = {"theme": forms.RadioSelect, "density": forms.RadioSelect}

    def __init__(self, *args: Any, now: str, **kwargs: Any) -> None:
        """`now` is the time in the zone that is chosen at present."""
        super().__init__(*args, **kwargs)
        default = ("", f"The dashboard’s ({settings.TIME_ZONE})")
        time_zone = cast(forms.ChoiceField, self.fields["time_zone"])
        time_zone.choices = [default, *_zones_by_region()]
        time_zone.help_text = f"Of every time shown and every date typed. It is {now} now."


@functools.cache
def _zones_by_region() -> tuple[tuple[str, Any], ...]:
    """Return the choices: "UTC", then a group for each region with its cities."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in zone_names():
        region, _, city = name.partition("/")
        groups.setdefault(region, []).append((name, city.replace("_", " ") or name))
    plain = groups.pop("UTC")
    return (*plain, *groups.items())
