"""Fetch dialogs as htmx or as pages, read their hidden fields, and submit them."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.test import Client
from django.urls import reverse

HOST = "http://testserver"


def url(name: str, order_id: object, **query: str) -> str:
    return reverse(name, args=[order_id], query=query or None)


def htmx(target: str, page: str = "") -> dict[str, str]:
    """Return headers of an htmx request that wants `tag#id`, sent from the page at that path."""
    headers = {"HX-Request": "true", "HX-Target": target}
    return headers | ({"HX-Current-URL": HOST + page} if page else {})


def dialog(page: str = "/orders/") -> dict[str, str]:
    return htmx("div#dialog-body", page)


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.radios: dict[str, list[str]] = {}
        self.checked: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag != "input" or name == "csrfmiddlewaretoken":
            return
        if given.get("type") == "hidden":
            self.hidden[name] = value
        elif given.get("type") == "radio":
            self.radios.setdefault(name, []).append(value)
            if "checked" in given:
                self.checked[name] = value


def fields(response: Any) -> _Fields:
    found = _Fields()
    found.feed(response.content.decode())
    return found


def hidden(response: Any) -> dict[str, str]:
    return fields(response).hidden


def open_and_submit(
    client: Client, address: str, *, headers: dict[str, str] | None = None, **typed: Any
) -> Any:
    """GET the dialog, then POST it with what a person types."""
    opened = client.get(address, headers=headers or {})
    assert opened.status_code == 200
    return client.post(address, {**hidden(opened), **typed}, headers=headers or {})


def text(response: Any) -> str:
    return str(response.content.decode())
