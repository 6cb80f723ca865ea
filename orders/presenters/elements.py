"""Small display objects that several pages share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class LabeledValue(NamedTuple):
    """A label and its value. `copy` is the text of a copy button, `iso` the instant behind the
    value; "" if there is none.
    """

    label: str
    value: str
    copy: str = ""
    iso: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """A message that stays on the page. `reference` is the request id, to search the logs for."""

    tone: str
    title: str
    sentence: str = ""
    next_step: str = ""
    reference: str = ""
    link_url: str = ""
    link_label: str = ""

    @property
    def icon(self) -> str:
        return {"good": "check", "info": "info"}.get(self.tone, "alert")


@dataclass(frozen=True, slots=True, kw_only=True)
class Toast:
    """A message that disappears.

    `link_url` is a page. `about` is the id of an order: a toast replaces an earlier one about the
    same order.
    """

    tone: str
    title: str
    sentence: str = ""
    link_url: str = ""
    link_label: str = ""
    about: str = ""

    @property
    def icon(self) -> str:
        return {"good": "check", "busy": "clock"}.get(self.tone, "alert")
