"""The filters of the audit page, and their query."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q

from orders.audit import ACCOUNT_NAMES, NAMES, Action
from orders.days import start_of_day
from orders.models import AuditEntry, State
from orders.models.audit import AuditEntryQuerySet
from orders.models.operation import UNSETTLED_STATES
from orders.search.paste import recognize_identifiers

from .fields import DayField, NumberField, SingleLineField

SECURITY = "security"
# Settling is the outcome of another action, never a row of its own.
_ACTIONS = [(one.value, name) for one, name in NAMES.items() if one != Action.OPERATION_SETTLE]
_ACCOUNT_EVENTS = [(one.value, name) for one, name in ACCOUNT_NAMES.items()]
OPEN = "open"
_APPLIED = Q(operation__state=State.APPLIED)
_WITHOUT = Q(
    operation__state__in=(State.REFUSED, State.NOT_SENT, State.NOT_APPLIED, State.SUPERSEDED)
)
_CONTRADICTED = Q(operation__contradicted_at__isnull=False)
_SEEN_LATER = Q(operation__effect_seen_at__isnull=False)
# As orders.outcomes words them: a later read may have shown the opposite of an outcome.
_OUTCOMES = {
    OPEN: ("Not known yet", Q(operation__state__in=UNSETTLED_STATES)),
    "applied": ("Carried out", _APPLIED & ~_CONTRADICTED),
    "without": ("Not carried out", _WITHOUT & ~_SEEN_LATER),
    "otherwise": ("Shown otherwise since", (_APPLIED & _CONTRADICTED) | (_WITHOUT & _SEEN_LATER)),
}
# Of a column of 32 bits.
_MAX_JOB_NUMBER = 2**31 - 1
_NOT_A_DAY = "This is not a date. Write it as 2026-12-01."


class AuditFilter(forms.Form):
    """The filters of the audit, all optional. Days are days of `zone`, both inclusive."""

    person = forms.TypedChoiceField(
        label="Who",
        required=False,
        coerce=int,
        empty_value=None,
        error_messages={"invalid_choice": "There is nobody like that in the audit."},
    )
    action = forms.ChoiceField(
        label="What",
        required=False,
        error_messages={"invalid_choice": "There is no action like that."},
    )
    outcome = forms.ChoiceField(
        required=False,
        choices=[("", "Any"), *((key, label) for key, (label, _) in _OUTCOMES.items())],
        error_messages={"invalid_choice": "There is no outcome like that."},
    )
    order = SingleLineField(
        label="Order id or receipt",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    job = NumberField(
        label="Job number",
        required=False,
        min_value=1,
        max_value=_MAX_JOB_NUMBER,
        error_messages={"invalid": "This is not the number of a job. Write it as 12."},
    )
    after = DayField(invalid=_NOT_A_DAY, label="From")
    before = DayField(invalid=_NOT_A_DAY, label="To")

    def __init__(self, *args: Any, zone: ZoneInfo, sees_all: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        security = ((SECURITY, "Security events"),) if sees_all else ()
        action = cast(forms.ChoiceField, self.fields["action"])
        action.choices = [("", "Any"), *_ACTIONS, *_ACCOUNT_EVENTS, *security]
        if sees_all:
            person = cast(forms.ChoiceField, self.fields["person"])
            person.choices = [("", "Anybody"), *_people()]
        else:
            del self.fields["person"]

    def clean(self) -> None:
        after, before = self.cleaned_data.get("after"), self.cleaned_data.get("before")
        if after and before and after > before:
            raise ValidationError("The first day lies after the last one, so nothing can match.")

    def filter_entries(self, entries: AuditEntryQuerySet) -> AuditEntryQuerySet:
        """Return the entries filtered by the valid fields."""
        data = self.cleaned_data
        if data.get("person") is not None:
            entries = entries.filter(actor_id=data["person"])
        if data.get("action"):
            entries = _of_action(entries, data["action"])
        if data.get("outcome"):
            _, condition = _OUTCOMES[data["outcome"]]
            entries = entries.filter(condition)
        if data.get("order"):
            entries = _of_order(entries, data["order"])
        if data.get("job"):
            entries = entries.filter(job__number=data["job"])
        if data.get("after"):
            entries = entries.filter(at__gte=start_of_day(data["after"], self.zone))
        if data.get("before"):
            end = start_of_day(data["before"] + timedelta(days=1), self.zone)
            entries = entries.filter(at__lt=end)
        return entries


def _people() -> list[tuple[str, str]]:
    seen = AuditEntry.objects.filter(actor__isnull=False).values("actor")
    users = get_user_model().objects.filter(pk__in=seen).order_by("username")
    return [(str(user.pk), _label(user.get_full_name(), user.get_username())) for user in users]


def _label(full_name: str, user_name: str) -> str:
    return f"{full_name} ({user_name})" if full_name else user_name


def _of_action(entries: AuditEntryQuerySet, action: str) -> AuditEntryQuerySet:
    if action == SECURITY:
        return entries.filter(action__startswith="security.")
    return entries.filter(action=action)


def _of_order(entries: AuditEntryQuerySet, text: str) -> AuditEntryQuerySet:
    """Filter by the order ids and receipt references in the text, in any spelling."""
    pasted = recognize_identifiers(text)
    if not (pasted.ids or pasted.references):
        return entries.filter(reference_id=text.upper())
    named = Q(order_uuid__in=pasted.ids) | Q(reference_id__in=pasted.references)
    return entries.filter(named)
