"""The table of a preview: each selected order with its planned change or the reason for none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from orders import formats
from orders.bulk.preview import Plan, PlanGroup, PlannedItem
from orders.bulk.selection_parts import encode_positions
from orders.forms.selections import AS_OF_FORMAT, DEFAULT_PRESET, PlanForm
from orders.list_url import Filters
from orders.models import Selection
from orders.search import Hit
from orders.viewer import Viewer

from .operations import with_next_url
from .order_sections import UNNAMED
from .rows import cart_text
from .status import Badge, status_badge

PAGE_SIZE = 50
# The fragment of the table, to which links lead without the script.
_TABLE = "#orders"
_ALL, _INCLUDED, _LEFT_OUT = "", "included", "left-out"


class ActionWords(NamedTuple):
    """A bulk action in words: "Extend gifts", "will be extended", "Extend"."""

    title: str
    will: str
    verb: str


def words_of_action(selection: Selection) -> ActionWords:
    if selection.action == Selection.Action.CANCEL:
        return ActionWords("Cancel gifts", "will be canceled", "Cancel")
    if selection.undoes is not None:
        title = f"Undo job {selection.undoes.number}"
        return ActionWords(title, "will have the former expiration", "Set back")
    return ActionWords("Extend gifts", "will be extended", "Extend")


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab that shows a part of the table, with the number of its orders."""

    label: str
    count: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class ExclusionReason:
    """A reason for which orders are left out, with their number.

    `url` shows these orders in the table, `list_url` in the list of orders.
    """

    count: str
    sentence: str
    next_step: str
    url: str
    list_url: str
    is_current: bool


class PreviewRow(NamedTuple):
    """A row of the table. `expires` is the present expiration, `becomes` the new one.

    `remark` is the reason why the order is left out, or an unusual fact about it, or "".
    """

    recipient: str
    email: str
    url: str
    gift: str
    badge: Badge | None
    expires: str
    becomes: str
    amount: str
    before_tax: bool
    remark: str
    is_included: bool
    changes: Sequence[str]


class PreviewPager(NamedTuple):
    """The position in the table ("1–50 of 120"), and the URLs of other pages; "" if missing."""

    place: str
    previous: str
    next: str


class PreviewTable:
    """Builds the table of a plan, with the URLs of its tabs and pages."""

    def __init__(self, selection: Selection, plan: Plan, form: PlanForm, viewer: Viewer) -> None:
        self._selection, self._plan = selection, plan
        self._form, self._viewer = form, viewer
        self._words = words_of_action(selection)
        self._is_cancel = selection.action == Selection.Action.CANCEL
        self.path = reverse("selection", args=[selection.pk])
        self._keys = {one.key: one for one in plan.groups}
        data = form.cleaned_data
        known = (_INCLUDED, _LEFT_OUT, *self._keys)
        self.group = data.get("group", "") if data.get("group") in known else _ALL
        self._page = data.get("page") or 1

    @property
    def _chosen(self) -> list[tuple[str, str]]:
        """Return the URL parameters of the choices on which the plan depends."""
        data, chosen = self._form.cleaned_data, []
        if not self._is_cancel:
            date, preset = data.get("date"), data.get("preset") or DEFAULT_PRESET
            chosen.append(("expiration", formats.iso_utc(date) if date else preset.value))
        checked = [name for name in ("may_shorten", "with_changed") if data.get(name)]
        return [*chosen, *((name, "on") for name in checked)]

    def _url(self, *, group: str = "", page: int = 1) -> str:
        params = self._chosen
        if group:
            params.append(("group", group))
        if page > 1:
            params.append(("page", str(page)))
        return f"{self.path}?{urlencode(params)}{_TABLE}" if params else f"{self.path}{_TABLE}"

    @property
    def address(self) -> str:
        """The URL of the page with the present choices."""
        return self._url(group=self.group, page=self._page).removesuffix(_TABLE)

    def hidden_fields(self, as_of: datetime) -> list[tuple[str, str]]:
        """Return the hidden fields of the submit form."""
        shown = [("as_of", as_of.strftime(AS_OF_FORMAT)), ("digest", self._plan.digest)]
        return [*self._chosen, *shown]

    def tabs(self) -> list[Tab]:
        plan = self._plan
        included = len(plan.included)
        counts = (
            ("All", _ALL, len(plan.items)),
            (_capitalized(self._words.will), _INCLUDED, included),
            ("Will not", _LEFT_OUT, len(plan.items) - included),
        )
        return [
            Tab(label, f"{n:,}", self._url(group=key), key == self.group)
            for label, key, n in counts
        ]

    def reasons(self) -> list[ExclusionReason]:
        """Return the reasons. A next step that several of them share is shown once."""
        said: set[str] = set()
        found = []
        for group in self._plan.groups:
            step = group.eligibility.next_step
            found.append(
                ExclusionReason(
                    f"{len(group.items):,}",
                    group.eligibility.sentence,
                    "" if step in said else step,
                    self._url(group=group.key),
                    self._list_url(group),
                    group.key == self.group,
                )
            )
            said.add(step)
        return found

    def _list_url(self, group: PlanGroup) -> str:
        part = encode_positions(self._positions[one.order_uuid] for one in group.items)
        return Filters(selection=self._selection.pk, part=part).url()

    @cached_property
    def _positions(self) -> dict[UUID, int]:
        return {one.order_uuid: at for at, one in enumerate(self._plan.items)}

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
        remark = self._remark(item)
        changes = [str(one) for one in item.differences]
        if item.listed is None:
            short = formats.id_prefix(item.order_uuid)
            return PreviewRow(short, "", url, "", None, "", "", "", False, remark, False, changes)
        hit = item.listed.hit
        return PreviewRow(
            recipient=hit.recipient_name or UNNAMED,
            email=hit.recipient_email,
            url=url,
            gift=cart_text(hit),
            badge=status_badge(hit.status, is_cancel_on_record=item.listed.is_cancel_on_record),
            expires=self._time(hit),
            becomes=self._becomes(item),
            amount="Unreadable" if hit.is_amount_odd else formats.money(hit.amount_cents),
            before_tax=hit.is_before_tax and not hit.is_amount_odd,
            remark=remark,
            is_included=item.is_included,
            changes=changes,
        )

    def _remark(self, item: PlannedItem) -> str:
        if not item.is_included:
            word = item.eligibility.word
            return f"Left out: {word[:1].lower()}{word[1:]}"
        if is_shortened(item) and not self._selection.undoes_id:
            return "Will expire sooner"
        return ""

    def _time(self, hit: Hit) -> str:
        if hit.is_expiry_odd:
            return "Unreadable"
        if hit.expires_at is None:
            return "No expiry"
        return formats.compact_date_time(hit.expires_at, self._viewer.now, self._viewer.zone)

    def _becomes(self, item: PlannedItem) -> str:
        if item.expiration is None or not item.is_included or self._form.has_invalid_date:
            return ""
        return formats.compact_date_time(item.expiration, self._viewer.now, self._viewer.zone)


def is_shortened(item: PlannedItem) -> bool:
    current = item.listed.hit.expires_at if item.listed else None
    return current is not None and item.expiration is not None and item.expiration < current


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
