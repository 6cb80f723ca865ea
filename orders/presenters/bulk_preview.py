"""The page that previews a bulk action: the planned changes, and the orders that are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from django.conf import settings

from orders import eligibility, formats
from orders.audit import Action
from orders.bulk import needs_approval
from orders.bulk.limits import BulkLimit
from orders.bulk.preview import Plan, PlannedItem
from orders.eligibility import ExpirationPreset, preset_base, preset_expiration
from orders.forms.selections import PlanForm
from orders.list_url import Filters
from orders.models import Selection
from orders.search import Hit
from orders.viewer import Viewer

from .bulk_table import (
    ActionWords,
    ExclusionReason,
    PreviewPager,
    PreviewRow,
    PreviewTable,
    Tab,
    is_shortened,
    words_of_action,
)
from .elements import Banner
from .expiration_dialog import (
    date_placeholder,
    format_for_input,
    full_date,
    latest_allowed_expiration,
)
from .job_texts import gift_count

_BY = {
    ExpirationPreset.WEEK: "by 7 days",
    ExpirationPreset.TWO_WEEKS: "by 14 days",
    ExpirationPreset.MONTH: "by 30 days",
    ExpirationPreset.END_OF_MONTH: "to the end of the month",
}


@dataclass(frozen=True, slots=True)
class DateOption:
    """A preset: the posted value, and the range of the new expirations that it results in."""

    value: str
    dates: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DateChoice:
    """The controls of the new expirations.

    `typed` is one date for all orders as it was typed, `understood` its meaning, and `note`
    explains an ambiguous one.
    """

    options: Sequence[DateOption]
    typed: str
    understood: str
    note: str
    placeholder: str
    first_day: str
    last_day: str


class Inclusion(NamedTuple):
    """A checkbox that includes orders which are left out by default."""

    name: str
    label: str
    is_checked: bool


@dataclass(frozen=True, slots=True)
class WorkspaceSum:
    """The money that a cancel releases in one workspace."""

    name: str
    count: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPreview:
    """The preview page of a bulk action.

    `address` is its URL with the present choices, `hidden` are the hidden fields of the submit
    form. The page has no submit button if `submit` is ""; `nothing` is the reason. `is_empty`: the
    plan includes no order, or was started.
    """

    title: str
    is_cancel: bool
    selected: str
    description: str
    kept: str
    url: str
    address: str
    list_url: str
    dates: DateChoice | None
    inclusions: Sequence[Inclusion]
    summary: str
    left_out: str
    workspaces: Sequence[WorkspaceSum]
    sums_label: str
    tabs: Sequence[Tab]
    reasons: Sequence[ExclusionReason]
    rows: Sequence[PreviewRow]
    pager: PreviewPager
    hidden: Sequence[tuple[str, str]]
    submit: str
    submit_sum: str
    is_empty: bool
    nothing: str
    typed_label: str
    warnings: Sequence[str]
    limit: str
    banner: Banner | None

    @property
    def has_remarks(self) -> bool:
        return any(one.remark or one.changes for one in self.rows)


def sum_text(hits: Sequence[Hit]) -> str:
    """Return the sum as text: "about $1,842.50 before tax", "$42.10 and 2 unknown amounts".

    It is marked as before tax if any of the amounts is.
    """
    template = "about {} before tax" if any(one.is_before_tax for one in hits) else "{}"
    return _sum(hits, template)


def _sum(hits: Sequence[Hit], template: str = "{}") -> str:
    known = [one.amount_cents for one in hits if one.amount_cents is not None]
    unknown = sum(one.amount_cents is None or one.is_amount_odd for one in hits)
    amount = template.format(formats.money(sum(known)))
    if not unknown:
        return amount
    amounts = "1 unknown amount" if unknown == 1 else f"{unknown:,} unknown amounts"
    return f"{amount} and {amounts}" if known else amounts


def make_preview(
    selection: Selection,
    plan: Plan,
    form: PlanForm,
    *,
    bulk_limit: BulkLimit,
    as_of: datetime,
    viewer: Viewer,
    banner: Banner | None = None,
    is_started: bool = False,
) -> BulkPreview:
    """Return the page of a plan. Its dates are relative to `as_of`.

    With `is_started`, a job was already created from the selection and the page has no button.
    """
    is_cancel, words = selection.action == Selection.Action.CANCEL, words_of_action(selection)
    table = PreviewTable(selection, plan, form, viewer)
    has_rule = not is_cancel and selection.undoes_id is None
    choice = _Choice(plan, form, viewer, has_rule=has_rule)
    count = len(plan.included)
    may_submit = count and not (bulk_limit.refusal(count) or is_started or form.has_invalid_date)
    return BulkPreview(
        title=words.title,
        is_cancel=is_cancel,
        selected=f"{gift_count(len(plan.items))} selected",
        description=selection.description,
        kept=_kept(selection, viewer),
        url=table.path,
        address=table.address,
        list_url=Filters(selection=selection.pk).url(),
        dates=choice.dates(as_of) if has_rule else None,
        inclusions=list(choice.inclusions()),
        summary=_summary(count, form, words),
        left_out=f"{gift_count(len(plan.items) - count)} left out",
        workspaces=list(_workspaces(plan)) if is_cancel else (),
        sums_label=_sums_label(plan),
        tabs=table.tabs(),
        reasons=table.reasons(),
        rows=table.rows(),
        pager=table.pager(),
        hidden=table.hidden_fields(as_of),
        submit=_submit_label(count, words, is_cancel=is_cancel, by=choice.by) if may_submit else "",
        submit_sum=f"({sum_text(_hits(plan.included))})" if is_cancel and may_submit else "",
        is_empty=is_started or not count,
        nothing="" if may_submit else _nothing_text(count, form, is_started=is_started),
        typed_label=f"Type {count} to confirm" if needs_typed_count(plan, selection) else "",
        warnings=list(_warnings(count) if is_cancel else _expired_warnings(plan, viewer)),
        limit=bulk_limit.sentence if count else "",
        banner=banner or _limit_banner(bulk_limit, count),
    )


def _summary(count: int, form: PlanForm, words: ActionWords) -> str:
    if form.has_invalid_date:
        return "The date cannot be read"
    return f"{gift_count(count) if count else 'No gift'} {words.will}"


def _nothing_text(count: int, form: PlanForm, *, is_started: bool) -> str:
    """Return the reason why the preview cannot be confirmed."""
    if is_started:
        return "A job was started with this selection."
    if form.has_invalid_date:
        return "Correct it, or choose one of the others."
    return "Select fewer gifts." if count else "There is nothing to confirm."


def needs_typed_count(plan: Plan, selection: Selection) -> bool:
    is_cancel = selection.action == Selection.Action.CANCEL
    return is_cancel and len(plan.included) > settings.BULK_TYPED_ABOVE


def _submit_label(count: int, words: ActionWords, *, is_cancel: bool, by: str) -> str:
    """Return the label of the button: "Cancel 37 gifts". The sum of a cancel follows it.

    That of an extension names the shown expiration, also while another choice is not shown yet.
    """
    is_asked = is_cancel and needs_approval(Action.ORDER_CANCEL, count=count)
    verb = "Ask to cancel" if is_asked else words.verb
    return f"{verb} {gift_count(count)} {by}".strip()


def _hits(items: Sequence[PlannedItem]) -> list[Hit]:
    return [one.listed.hit for one in items if one.listed is not None]


def _workspaces(plan: Plan) -> Iterator[WorkspaceSum]:
    """Yield the sum of each workspace, most gifts first; nothing if there is only one."""
    by_name: dict[str, list[Hit]] = {}
    for hit in _hits(plan.included):
        by_name.setdefault(hit.workspace, []).append(hit)
    if len(by_name) > 1:
        for name, hits in sorted(by_name.items(), key=lambda pair: -len(pair[1])):
            yield WorkspaceSum(name or "No workspace", f"{len(hits):,}", _sum(hits))


def _sums_label(plan: Plan) -> str:
    is_before_tax = any(one.is_before_tax for one in _hits(plan.included))
    return "Released, before tax" if is_before_tax else "Released"


def _warnings(count: int) -> Iterator[str]:
    """Yield the notes about a cancel of many gifts."""
    if not count:
        return
    if needs_approval(Action.ORDER_CANCEL, count=count):
        yield (
            f"More than {settings.BULK_APPROVAL_ABOVE} cancels: another lead must approve exactly "
            f"this list within {_hours(settings.BULK_APPROVAL_EXPIRES)}. Nothing is sent before."
        )
    yield "A cancel cannot be undone."
    if grace := int(settings.BULK_CANCEL_GRACE):
        yield f"Before the first one is sent there are {grace} seconds to stop it."


def _expired_warnings(plan: Plan, viewer: Viewer) -> Iterator[str]:
    """Yield the note about the extension of gifts that have expired."""
    ends = (one.expires_at for one in _hits(plan.included) if one.expires_at is not None)
    if count := sum(at <= viewer.now for at in ends):
        have = "gift has" if count == 1 else "gifts have"
        yield (
            f"{count:,} {have} expired: that extension cannot be undone, and Goody does not say "
            "whether it revives a gift. Look at some of them afterwards."
        )


def _hours(seconds: float) -> str:
    hours = round(seconds / 3600)
    return "1 hour" if hours == 1 else f"{hours} hours"


def _limit_banner(bulk_limit: BulkLimit, count: int) -> Banner | None:
    refusal = bulk_limit.refusal(count)
    return Banner(tone="warn", title=refusal, sentence=bulk_limit.sentence) if refusal else None


class _Choice:
    """The controls of a preview: the dates, and the checkboxes that include further orders."""

    def __init__(self, plan: Plan, form: PlanForm, viewer: Viewer, *, has_rule: bool) -> None:
        self._plan, self._form, self._viewer = plan, form, viewer
        self._has_rule = has_rule

    @property
    def by(self) -> str:
        """The chosen expiration: "by 14 days", "to 24 Dec, 18:30"; "" if there is no choice."""
        if not self._has_rule:
            return ""
        date, viewer = self._form.cleaned_data.get("date"), self._viewer
        if date:
            return f"to {formats.compact_date_time(date, viewer.now, viewer.zone)}"
        return _BY[self._form.cleaned_data["preset"]]

    def dates(self, as_of: datetime) -> DateChoice:
        form, viewer = self._form, self._viewer
        date = form.cleaned_data.get("date")
        chosen = None if form.typed or date else form.cleaned_data.get("preset")
        return DateChoice(
            options=[
                DateOption(one.value, self._range(one, as_of), one is chosen)
                for one in ExpirationPreset
            ],
            typed=form.typed or (format_for_input(date.astimezone(viewer.zone)) if date else ""),
            understood=full_date(date, viewer.zone) if date else "",
            note=form.note,
            placeholder=date_placeholder(viewer),
            first_day=f"{viewer.now.astimezone(viewer.zone):%Y-%m-%d}",
            last_day=f"{latest_allowed_expiration(viewer.now).astimezone(viewer.zone):%Y-%m-%d}",
        )

    def _range(self, preset: ExpirationPreset, as_of: datetime) -> str:
        """Return the range of the new expirations: "12 Dec", "12 Dec – 3 Jan"; "" if none."""
        viewer, times = self._viewer, self._present
        # Orders that have expired, or have no expiration, count from now.
        ends = {preset_base(as_of, one) for one in (min(times), max(times))} if times else set()
        at = [preset_expiration(preset, base, viewer.zone) for base in sorted(ends)]
        days = [formats.compact_day(one, viewer.now, viewer.zone) for one in at if one]
        return " – ".join(dict.fromkeys(days))

    @cached_property
    def _present(self) -> list[datetime]:
        """Return the expirations of the orders that may be extended; now where one has none."""
        now = self._viewer.now
        open_hits = (
            one
            for one in _hits(self._plan.items)
            if eligibility.may_extend(one, now=now).is_allowed
        )
        return [one.expires_at or now for one in open_hits]

    def inclusions(self) -> Iterator[Inclusion]:
        """Yield a checkbox for each kind of orders that can be included."""
        data = self._form.cleaned_data
        codes = Counter(one.eligibility.code for one in self._plan.items if not one.is_included)
        moved = sum(one.has_changed and one.is_included for one in self._plan.items)
        moved += codes["changed"]
        if moved:
            them = "gift as it is" if moved == 1 else "gifts as they are"
            label = f"Include {moved:,} changed {them} now"
            yield Inclusion("with_changed", label, bool(data.get("with_changed")))
        shorter = sum(map(_needs_may_shorten, self._plan.items))
        if shorter and self._has_rule:
            label = (
                f"Include {gift_count(shorter)} that would expire sooner, or get a first expiration"
            )
            yield Inclusion("may_shorten", label, bool(data.get("may_shorten")))


def _needs_may_shorten(item: PlannedItem) -> bool:
    """Whether the order is included only with the confirmation to shorten its expiration."""
    if not item.is_included:
        return item.eligibility.code in ("shortens", "sets_a_date")
    has_no_date = item.listed is not None and item.listed.hit.expires_at is None
    return item.expiration is not None and (has_no_date or is_shortened(item))


def _kept(selection: Selection, viewer: Viewer) -> str:
    until = formats.compact_date_time(selection.expires_at, viewer.now, viewer.zone)
    zone = formats.zone_in_words(viewer.zone, viewer.now)
    return f"Kept for you until {until}. Times are in {zone}."
