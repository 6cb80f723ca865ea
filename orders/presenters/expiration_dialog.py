"""The dialog that changes an expiration: its options, and the preview of a typed date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse

from goody.types import Order
from orders import eligibility, formats
from orders.days import END_OF_DAY
from orders.eligibility import (
    Eligibility,
    ExpirationPreset,
    ExpiryKind,
    expiration_presets,
    preset_base,
)
from orders.forms.fields import clean_single_line
from orders.forms.writes import ExpirationForm
from orders.models import Operation
from orders.services import OrderWithOperations, SimilarOrders
from orders.viewer import Viewer

from .dialogs import Dialog, banner_for_refusal, order_url, with_similar_orders
from .operations import format_in_both_zones, with_next_url
from .order_sections import displayed_recipient


@dataclass(frozen=True, slots=True)
class ExpirationOption:
    """A preset of the dialog.

    `value` is posted, `date` and `full` are the new expiration in short and in full, and `submit`
    is the label of the submit button while the option is chosen.
    """

    value: str
    label: str
    date: str
    full: str
    submit: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedDatePreview:
    """The meaning of a typed date, or the reason why it cannot be used.

    `submit` is the label of the submit button. `tick` is the label of the checkbox that confirms a
    date earlier than the present expiration, "" if none is needed.
    """

    full: str = ""
    note: str = ""
    value: str = ""
    error: str = ""
    tick: str = ""
    submit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpirationDialog(Dialog):
    # The present expiration, whether it is urgent, and a warning for an expired gift.
    present: str
    is_urgent: bool
    warning: str
    options: list[ExpirationOption]
    # Why presets are missing; "" if none is.
    left_out: str
    preview_url: str
    placeholder: str
    # The button's label for a date that is not read yet.
    submit_label: str
    # The label of the box to tick for every date, since there is none now; else "".
    tick: str
    understood: TypedDatePreview = field(default_factory=TypedDatePreview)
    # The date of an extension that was not applied, to request it again.
    typed: str = ""
    # The first and the last day that the date picker offers, as YYYY-MM-DD.
    first_day: str
    last_day: str


_DEFAULT = "+14 days"
_NO_EXPIRATION = "It has no expiration now."
_SETS_A_DATE = (
    "Give it an expiration although it has none: Goody offers no way to take it off again"
)
_EXPIRED = (
    "It can be extended, but Goody does not say whether that revives a gift. Look at it again "
    "afterwards."
)
_LEFT_OUT = (
    "Presets count from the present expiration. Those that lead more than {} days ahead of today "
    "are left out: such dates are not accepted here."
)


def expiration_dialog(
    view: OrderWithOperations, *, similar: SimilarOrders, viewer: Viewer
) -> ExpirationDialog:
    order, now, zone = view.order, viewer.now, viewer.zone
    name = formats.isolate_direction(displayed_recipient(order))
    has_date = order.expires_at is not None
    check = eligibility.may_extend(order, now=now, is_cancel_on_record=view.is_cancel_on_record)
    url = with_next_url(reverse("order_expiration", args=[order.id]), viewer.next_url)
    options = _options(order, viewer)
    dialog = ExpirationDialog(
        title=f"Extend the gift for {name}" if has_date else f"Set an expiration for {name}",
        recipient=displayed_recipient(order),
        url=url,
        order_url=order_url(order.id, viewer.next_url),
        next_url=viewer.next_url,
        banner=banner_for_refusal(view, check, viewer=viewer),
        again_url=url,
        undo_note=undo_note(order, viewer),
        present=_present(order, viewer),
        is_urgent=_kind(order, now) in (ExpiryKind.SOON, ExpiryKind.PAST),
        warning=_EXPIRED if check.code == "expired" else "",
        options=options,
        left_out=""
        if len(options) == len(ExpirationPreset)
        else _LEFT_OUT.format(settings.EXTENSION_MAX_DAYS),
        preview_url=reverse("order_expiration_preview", args=[order.id]),
        placeholder=date_placeholder(viewer),
        submit_label=submit_label(order),
        tick="" if has_date else _SETS_A_DATE,
        first_day=f"{now.astimezone(zone):%Y-%m-%d}",
        last_day=f"{latest_allowed_expiration(now).astimezone(zone):%Y-%m-%d}",
    )
    return with_similar_orders(dialog, view, similar)


def latest_allowed_expiration(now: datetime) -> datetime:
    return now + timedelta(days=settings.EXTENSION_MAX_DAYS)


def _options(order: Order, viewer: Viewer) -> list[ExpirationOption]:
    offered = expiration_presets(viewer.now, order.expires_at, viewer.zone)
    within = [(label, at) for label, at in offered if at <= latest_allowed_expiration(viewer.now)]
    labels = [label for label, _ in within]
    default = _DEFAULT if _DEFAULT in labels else next(iter(labels), "")
    return [
        ExpirationOption(
            value=formats.iso_utc(at),
            label=label,
            date=formats.compact_date_time(at, viewer.now, viewer.zone),
            full=full_date(at, viewer.zone),
            submit=_submit(order, at, viewer),
            is_chosen=label == default,
        )
        for label, at in within
    ]


def submit_label(order: Order) -> str:
    """Return the label of the submit button before a date was chosen."""
    return "Extend" if order.expires_at is not None else "Set the date"


def _submit(order: Order, at: datetime, viewer: Viewer) -> str:
    """Return the submit button's label: "Extend to 12 Dec", "Shorten to 3 Dec", "Set to 3 Dec"."""
    day = formats.compact_day(at, viewer.now, viewer.zone)
    if order.expires_at is None:
        return f"Set to {day}"
    return f"Shorten to {day}" if at < order.expires_at else f"Extend to {day}"


def full_date(at: datetime, zone: ZoneInfo) -> str:
    """Return "Sat 12 Dec 2026, 23:59 EST (13 Dec 2026, 04:59 UTC)"."""
    return f"{formats.weekday(at, zone)} {format_in_both_zones(at, zone)}"


def _kind(order: Order, now: datetime) -> ExpiryKind:
    return eligibility.classify_expiry(order, now).kind


def _present(order: Order, viewer: Viewer) -> str:
    """Return the present expiration: "Expires in 19 h: 28 Nov 2026, 23:59 EST (…)."""
    at = order.expires_at
    if at is None:
        return _NO_EXPIRATION
    verb = "Expired" if at <= viewer.now else "Expires"
    distance = formats.relative_time(at, viewer.now)
    return f"{verb} {distance}: {format_in_both_zones(at, viewer.zone)}"


def undo_note(order: Order, viewer: Viewer) -> str:
    """Return a sentence on whether the change can be undone, by services.may_undo_extension."""
    if order.expires_at is None:
        return "Cannot be undone: Goody cannot remove a date"
    if order.expires_at <= viewer.now:
        return "Cannot be undone: the former date is past"
    until = formats.compact_date_time(order.expires_at, viewer.now, viewer.zone)
    return f"Can be undone until {until} if Goody confirms it"


def date_placeholder(viewer: Viewer) -> str:
    """Return examples of dates, with day and month in the order that the person's language uses."""
    year = viewer.now.astimezone(viewer.zone).year
    figures = "12/24" if viewer.date_reader(None).is_month_first else "24/12"
    return f"24 Dec, {figures}/{year} or “in 3 weeks”"


def preview_typed_date(order: Order, typed: str, *, viewer: Viewer) -> TypedDatePreview:
    """Return the preview of a typed date, by the same rules as for the submitted form."""
    if not clean_single_line(typed):
        return TypedDatePreview(submit=submit_label(order))
    base = preset_base(viewer.now, order.expires_at)
    try:
        found = viewer.date_reader(base).read(typed)
    except ValidationError as error:
        return TypedDatePreview(error=" ".join(error.messages), submit=submit_label(order))
    check = eligibility.check_expiration(
        order,
        found.at,
        now=viewer.now,
        may_shorten=order.expires_at is None,
        max_days=settings.EXTENSION_MAX_DAYS,
    )
    is_shorter = check.code == "shortens"
    is_usable = check.is_allowed or is_shorter
    return TypedDatePreview(
        full=full_date(found.at, viewer.zone),
        note=found.note,
        value=formats.iso_utc(found.at),
        error="" if is_usable else expiration_error_text(check),
        tick=_shortens(order, viewer) if is_shorter else "",
        submit=_submit(order, found.at, viewer) if is_usable else submit_label(order),
    )


def expiration_error_text(check: Eligibility) -> str:
    return f"{check.sentence} {check.next_step}".strip()


def _shortens(order: Order, viewer: Viewer) -> str:
    assert order.expires_at is not None
    now = formats.compact_date_time(order.expires_at, viewer.now, viewer.zone)
    return f"It shall expire sooner than now ({now})"


def dialog_with_former_input(
    dialog: ExpirationDialog, former: Operation, order: Order, *, viewer: Viewer
) -> ExpirationDialog:
    """Return the dialog with the date of an extension that was not applied."""
    assert former.expiration is not None
    typed = format_for_input(former.expiration.astimezone(viewer.zone))
    understood = preview_typed_date(order, typed, viewer=viewer)
    return replace(dialog, typed=typed, understood=understood, options=_unchosen(dialog.options))


def format_for_input(local: datetime) -> str:
    """Return a local time as text for the date field, in a form that has no other meaning."""
    if local.time() == END_OF_DAY:
        return formats.date_in_words(local)
    return local.isoformat()


def _unchosen(options: Sequence[ExpirationOption]) -> list[ExpirationOption]:
    return [replace(option, is_chosen=False) for option in options]


def with_submitted_input(
    dialog: ExpirationDialog, order: Order, form: ExpirationForm, *, viewer: Viewer
) -> ExpirationDialog:
    """Return the dialog with the input of a submitted form: the chosen preset or the typed date."""
    chosen = form.data.get("expiration", "")
    options = [replace(one, is_chosen=one.value == chosen) for one in dialog.options]
    is_preset = any(one.is_chosen for one in options)
    typed = form.typed or ("" if is_preset else chosen)
    if typed:
        options = _unchosen(options)
    understood = preview_typed_date(order, typed, viewer=viewer)
    return replace(dialog, typed=typed, understood=understood, options=options)
