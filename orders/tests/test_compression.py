"""The compression of pages."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest

from testing.list_pages import RESULTS, URL
from testing.search_oracle import Oracle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("search_time")]

ROWS = 50
_MAX_PAGE_TURN_BYTES = 10_000
_BROWSER = {"Accept-Encoding": "gzip, deflate, br"}


def test_pages_are_compressed_for_browsers_that_accept_it(as_role: Any, full: Oracle) -> None:
    agent = as_role("agent")
    response = agent.get(URL, headers=_BROWSER)
    assert response["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response["Vary"].split(", ")
    assert int(response["Content-Length"]) == len(response.content)
    assert b"<h1" in gzip.decompress(response.content)
    assert not agent.get(URL).has_header("Content-Encoding")


def test_equal_pages_differ_in_compressed_size(as_role: Any) -> None:
    """An attacker who measures responses to find a secret by its compression meets noise."""
    agent = as_role("agent")
    sizes = {len(agent.get("/settings/", headers=_BROWSER).content) for _ in range(20)}
    assert len(sizes) > 5


def test_a_page_turn_moves_under_ten_kilobytes(as_role: Any, full: Oracle) -> None:
    response = as_role("agent").get(URL, headers={**_BROWSER, **RESULTS})
    assert len(re.findall(rb"<tr ", gzip.decompress(response.content))) == ROWS
    assert len(response.content) <= _MAX_PAGE_TURN_BYTES
