"""The time zones that can be chosen, and the names that browsers give them."""

from __future__ import annotations

import zoneinfo

import pytest

from orders import time_zones
from orders.time_zones import canonical_zone_name, zone_names


def test_each_zone_is_listed_once_and_exists() -> None:
    names = zone_names()
    assert len(names) == len(set(names)) > 300
    assert set(names) <= zoneinfo.available_timezones()
    assert {"UTC", "Asia/Kolkata", "America/New_York", "Europe/Kyiv"} <= set(names)
    aliases = {"US/Eastern", "Asia/Calcutta", "Europe/Kiev", "Etc/UTC", "GMT", "EST5EDT"}
    assert not aliases & set(names)


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("Asia/Tokyo", "Asia/Tokyo"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("Etc/UTC", "UTC"),
        ("Mars/Olympus", ""),
        ("../../etc/passwd", ""),
        ("", ""),
    ],
)
def test_an_alias_counts_as_the_zone_it_stands_for(name: str, chosen: str) -> None:
    assert canonical_zone_name(name) == chosen


def test_without_the_tables_every_regional_zone_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_zones, "_read", lambda _: "")
    names = zone_names.__wrapped__()
    assert {"UTC", "Asia/Tokyo"} <= set(names)
    assert "EST5EDT" not in names
