"""The preview of a bulk action: what will be done with which orders, and why not with others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from orders import eligibility, formats
from orders.audit import Action
from orders.bulk import needs_approval
from orders.bulk.caps import BulkCap
from orders.bulk.preview import Plan, PlannedItem
from orders.eligibility import Preset, preset_base, preset_expiration
from orders.forms.selections import AS_OF_FORMAT, DEFAULT_PRESET, PlanForm
from orders.list_url import Filters
from orders.models import Selection
from orders.search import Hit
from orders.viewer import Viewer

from .elements import Banner
from .expiration_dialog import as_typed, date_placeholder, full_date, latest_allowed
from .operations import with_next_url
from .order_sections import UNNAMED
from .rows import gift_text
from .status import Badge, status_badge

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class DateOption:
    """A preset for each order: the posted value, and the range of the dates that it gives."""

    value: str
    dates: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DateChoice:
    """The controls of the new expirations.

    `typed` is one date for all, as it was typed, `understood` the date that was read, `note` how.
    """

    options: Sequence[DateOption]
    typed: str
    understood: str
    note: str
    placeholder: str
    first_day: str
    last_day: str


class Tick(NamedTuple):
    """A box that includes orders which are left out otherwise."""

    name: str
    label: str
    is_ticked: bool


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of the table with the number of its orders."""

    label: str
    count: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason why orders are left out: how many, the sentence, and the page with these orders."""

    count: str
    sentence: str
    next_step: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class WorkspaceSum:
    """What a cancel releases in one workspace."""

    name: str
    count: str
    amount: str


class PreviewRow(NamedTuple):
    """An order of the table. `expires` and `becomes` are the present and the new expiration."""

    recipient: str
    email: str
    url: str
    gift: str
    badge: Badge | None
    expires: str
    becomes: str
    amount: str
    outcome: str
    is_included: bool
    changes: Sequence[str]


class PreviewPager(NamedTuple):
    """The place in the table, and the URLs of other pages; "" if there is none."""

    place: str
    previous: str
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPreview:
    """The page. `hidden` are the fields that a submit must repeat; no button if `submit` is ""."""

    title: str
    is_cancel: bool
    selected: str
    description: str
    kept: str
    url: str
    list_url: str
    dates: DateChoice | None
    ticks: Sequence[Tick]
    summary: str
    released: str
    workspaces: Sequence[WorkspaceSum]
    tabs: Sequence[Tab]
    reasons: Sequence[Reason]
    rows: Sequence[PreviewRow]
    pager: PreviewPager
    hidden: Sequence[tuple[str, str]]
    submit: str
    typed_label: str
    notes: Sequence[str]
    banner: Banner | None


def sum_text(hits: Sequence[Hit]) -> str:
    """Return the sum: "about $1,842.50 before tax", "$42.10 and 2 unknown amounts".

    It is before tax if that is so for any of them.
    """
    known = [one.amount_cents for one in hits if one.amount_cents is not None]
    unknown = sum(one.amount_cents is None or one.is_amount_odd for one in hits)
    amount = formats.money(sum(known))
    if any(one.is_before_tax for one in hits):
        amount = f"about {amount} before tax"
    if not unknown:
        return amount
    amounts = "1 unknown amount" if unknown == 1 else f"{unknown:,} unknown amounts"
    return f"{amount} and {amounts}" if known else amounts


def gifts(count: int) -> str:
    return "1 gift" if count == 1 else f"{count:,} gifts"


def make_preview(
    selection: Selection,
    plan: Plan,
    form: PlanForm,
    *,
    cap: BulkCap,
    as_of: datetime,
    viewer: Viewer,
    banner: Banner | None = None,
    is_started: bool = False,
) -> BulkPreview:
    """Return the page of a plan. `as_of` is the time from which its dates count.

    `is_started`: a job was made of the selection, and the page only shows it.
    """
    builder = _Builder(selection, plan, form, viewer)
    is_cancel = selection.action == Selection.Action.CANCEL
    count = len(plan.included)
    may_submit = count and not cap.refusal(count) and not is_started
    return BulkPreview(
        title="Cancel gifts" if is_cancel else "Extend gifts",
        is_cancel=is_cancel,
        selected=f"{gifts(len(plan.items))} selected",
        description=selection.description,
        kept=builder.kept(),
        url=builder.path,
        list_url=Filters(selection=selection.pk).url(),
        dates=None if is_cancel or selection.undoes_id else builder.dates(as_of),
        ticks=list(builder.ticks()),
        summary=_summary(count, is_cancel=is_cancel),
        released=sum_text(_hits(plan.included)) if is_cancel and count else "",
        workspaces=list(_workspaces(plan)) if is_cancel else (),
        tabs=builder.tabs(),
        reasons=builder.reasons(),
        rows=builder.rows(),
        pager=builder.pager(),
        hidden=builder.hidden(as_of),
        submit=submit_label(plan, is_cancel=is_cancel) if may_submit else "",
        typed_label=f"Type {count} to confirm" if needs_typed_count(plan, selection) else "",
        notes=list(_notes(count, cap, is_cancel=is_cancel)),
        banner=banner or _cap_banner(cap, count),
    )


def needs_typed_count(plan: Plan, selection: Selection) -> bool:
    is_cancel = selection.action == Selection.Action.CANCEL
    return is_cancel and len(plan.included) > settings.BULK_TYPED_ABOVE


def submit_label(plan: Plan, *, is_cancel: bool) -> str:
    """Return what the button does: "Cancel 37 gifts (about $1,842.50 before tax)"."""
    count = len(plan.included)
    if not is_cancel:
        return f"Extend {gifts(count)}"
    verb = "Ask to cancel" if needs_approval(Action.ORDER_CANCEL, count=count) else "Cancel"
    return f"{verb} {gifts(count)} ({sum_text(_hits(plan.included))})"


def _summary(count: int, *, is_cancel: bool) -> str:
    if not count:
        return "No gift will be canceled" if is_cancel else "No gift will be extended"
    return f"{gifts(count)} will be {'canceled' if is_cancel else 'extended'}"


def _hits(items: Sequence[PlannedItem]) -> list[Hit]:
    return [one.listed.hit for one in items if one.listed is not None]


def _workspaces(plan: Plan) -> Iterator[WorkspaceSum]:
    """Yield the sums of the workspaces, if there are several, most gifts first."""
    by_name: dict[str, list[Hit]] = {}
    for hit in _hits(plan.included):
        by_name.setdefault(hit.workspace, []).append(hit)
    if len(by_name) > 1:
        for name, hits in sorted(by_name.items(), key=lambda pair: -len(pair[1])):
            yield WorkspaceSum(name or "No workspace", f"{len(hits):,}", sum_text(hits))


def _notes(count: int, cap: BulkCap, *, is_cancel: bool) -> Iterator[str]:
    if is_cancel and count:
        yield "A cancel cannot be undone. What the links of the gifts show then is not documented."
        yield _grace()
    if needs_approval(Action(cap.action), count=count):
        yield (
            f"More than {settings.BULK_APPROVAL_ABOVE} cancels: another lead must approve exactly "
            "this list within 24 hours. Nothing is sent before."
        )
    if count:
        yield cap.sentence


def _grace() -> str:
    seconds = int(settings.BULK_CANCEL_GRACE)
    return f"Nothing is sent for the first {seconds} seconds, in which you can stop it."


def _cap_banner(cap: BulkCap, count: int) -> Banner | None:
    refusal = cap.refusal(count)
    return Banner(tone="warn", title=refusal, sentence=cap.sentence) if refusal else None


_ALL, _INCLUDED, _LEFT_OUT = "", "included", "left-out"


class _Builder:
    def __init__(self, selection: Selection, plan: Plan, form: PlanForm, viewer: Viewer) -> None:
        self._selection, self._plan, self._form, self._viewer = selection, plan, form, viewer
        self._is_cancel = selection.action == Selection.Action.CANCEL
        self.path = reverse("selection", args=[selection.pk])
        given = form.cleaned_data
        self._keys = {one.key: one for one in plan.groups}
        known = (_INCLUDED, _LEFT_OUT, *self._keys)
        self.group = given.get("group", "") if given.get("group") in known else _ALL
        self._page = given.get("page") or 1

    # --- the URL ------------------------------------------------------------------------------

    @property
    def _chosen(self) -> list[tuple[str, str]]:
        """The parameters of the plan."""
        given, form = self._form.cleaned_data, self._form
        chosen = []
        if not self._is_cancel:
            date, preset = given.get("date"), given.get("preset") or DEFAULT_PRESET
            chosen.append(("expiration", formats.iso_utc(date) if date else preset.value))
        ticked = [name for name in ("may_shorten", "with_changed") if given.get(name)]
        return [*chosen, *((name, "on") for name in ticked)] if form.is_bound else chosen

    def _url(self, *, group: str = "", page: int = 1) -> str:
        params = self._chosen
        if group:
            params.append(("group", group))
        if page > 1:
            params.append(("page", str(page)))
        return f"{self.path}?{urlencode(params)}#plan" if params else f"{self.path}#plan"

    def hidden(self, as_of: datetime) -> list[tuple[str, str]]:
        shown = [("as_of", as_of.strftime(AS_OF_FORMAT)), ("digest", self._plan.digest)]
        return [*self._chosen, *shown]

    # --- the choice ---------------------------------------------------------------------------

    def kept(self) -> str:
        viewer, selection = self._viewer, self._selection
        at = formats.brief_time(selection.created_at, viewer.now, viewer.zone)
        until = formats.brief_time(selection.expires_at, viewer.now, viewer.zone)
        zone = formats.zone_in_words(viewer.zone, viewer.now)
        return f"Selected {at}, kept for you until {until}. Times are in {zone}."

    def dates(self, as_of: datetime) -> DateChoice:
        form, viewer = self._form, self._viewer
        date = form.cleaned_data.get("date")
        chosen = None if form.typed or date else form.cleaned_data.get("preset")
        return DateChoice(
            options=[
                DateOption(one.value, self._range(one, as_of), one is chosen) for one in Preset
            ],
            typed=form.typed or (as_typed(date.astimezone(viewer.zone)) if date else ""),
            understood=full_date(date, viewer.zone) if date else "",
            note=form.note,
            placeholder=date_placeholder(viewer),
            first_day=f"{viewer.now.astimezone(viewer.zone):%Y-%m-%d}",
            last_day=f"{latest_allowed(viewer.now).astimezone(viewer.zone):%Y-%m-%d}",
        )

    def _range(self, preset: Preset, as_of: datetime) -> str:
        """Return the days to which the preset leads: "12 Dec", "12 Dec – 3 Jan"; "" if none."""
        viewer = self._viewer
        bases = [
            preset_base(as_of, one.expires_at)
            for one in _hits(self._plan.items)
            if eligibility.may_extend(one, now=viewer.now).is_allowed
        ]
        ends = (min(bases), max(bases)) if bases else ()
        at = [preset_expiration(preset, base, viewer.zone) for base in ends]
        days = [formats.brief_day(one, viewer.now, viewer.zone) for one in at if one]
        return " – ".join(dict.fromkeys(days))

    def ticks(self) -> Iterator[Tick]:
        """Yield a box for each kind of orders that can be included, also if it is ticked."""
        given = self._form.cleaned_data
        codes = Counter(one.verdict.code for one in self._plan.items if not one.is_included)
        moved = sum(one.has_changed and one.is_included for one in self._plan.items)
        moved += codes["changed"]
        if moved:
            label = f"Include {gifts(moved)} changed since selected, as now"
            yield Tick("with_changed", label, bool(given.get("with_changed")))
        shorter = sum(map(_needs_shorten_tick, self._plan.items))
        if shorter and not self._is_cancel:
            label = f"Include {gifts(shorter)} that would expire sooner, or have no expiration now"
            yield Tick("may_shorten", label, bool(given.get("may_shorten")))

    # --- the table ----------------------------------------------------------------------------

    def tabs(self) -> list[Tab]:
        plan, done = self._plan, "canceled" if self._is_cancel else "extended"
        included = len(plan.included)
        counts = (
            ("All", _ALL, len(plan.items)),
            (f"Will be {done}", _INCLUDED, included),
            ("Will not", _LEFT_OUT, len(plan.items) - included),
        )
        return [
            Tab(label, f"{n:,}", self._url(group=key), key == self.group)
            for label, key, n in counts
        ]

    def reasons(self) -> list[Reason]:
        return [
            Reason(
                f"{len(group.items):,}",
                group.verdict.sentence,
                group.verdict.next_step,
                self._url(group=group.key),
                group.key == self.group,
            )
            for group in self._plan.groups
        ]

    @property
    def _shown(self) -> Sequence[PlannedItem]:
        if self.group in self._keys:
            return self._keys[self.group].items
        if self.group == _INCLUDED:
            return self._plan.included
        if self.group == _LEFT_OUT:
            return [one for one in self._plan.items if not one.is_included]
        return self._plan.items

    def rows(self) -> list[PreviewRow]:
        start = PAGE_SIZE * (self._page - 1)
        return [self._row(one) for one in self._shown[start : start + PAGE_SIZE]]

    def pager(self) -> PreviewPager:
        total, start = len(self._shown), PAGE_SIZE * (self._page - 1)
        last = min(start + PAGE_SIZE, total)
        place = f"{start + 1:,}–{last:,} of {total:,}" if start < total else "Nothing here"
        previous = self._url(group=self.group, page=self._page - 1) if self._page > 1 else ""
        following = self._url(group=self.group, page=self._page + 1) if last < total else ""
        return PreviewPager(place, previous, following)

    def _row(self, item: PlannedItem) -> PreviewRow:
        url = with_next_url(
            reverse("order_detail", args=[item.order_uuid]),
            self._url(group=self.group, page=self._page),
        )
        outcome = item.verdict.sentence
        if item.is_included:
            outcome = "Will be canceled" if self._is_cancel else "Will be extended"
        changes = [str(one) for one in item.differences]
        if item.listed is None:
            short = formats.short_id(item.order_uuid)
            return PreviewRow(short, "", url, "", None, "", "", "", outcome, False, changes)
        hit = item.listed.hit
        return PreviewRow(
            recipient=hit.recipient_name or UNNAMED,
            email=hit.recipient_email,
            url=url,
            gift=gift_text(hit),
            badge=status_badge(hit.status, is_cancel_on_record=item.listed.is_cancel_on_record),
            expires=self._time(hit),
            becomes=self._becomes(item),
            amount=sum_text([hit]),
            outcome=outcome,
            is_included=item.is_included,
            changes=changes,
        )

    def _time(self, hit: Hit) -> str:
        if hit.is_expiry_odd:
            return "Unreadable"
        if hit.expires_at is None:
            return "No expiry"
        return formats.brief_time(hit.expires_at, self._viewer.now, self._viewer.zone)

    def _becomes(self, item: PlannedItem) -> str:
        if item.expiration is None or not item.is_included:
            return ""
        return formats.brief_time(item.expiration, self._viewer.now, self._viewer.zone)


def _needs_shorten_tick(item: PlannedItem) -> bool:
    """Whether the order is included only if shortening is ticked."""
    if not item.is_included:
        return item.verdict.code in ("shortens", "sets_a_date")
    if item.expiration is None or item.listed is None:
        return False
    current = item.listed.hit.expires_at
    return current is None or item.expiration < current
