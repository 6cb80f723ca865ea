"""The time zones that a person can choose, each under one name."""

from __future__ import annotations

import functools
import zoneinfo
from pathlib import Path

_UTC = "UTC"


@functools.cache
def zone_names() -> tuple[str, ...]:
    """Return "UTC" and the names in the zone.tab of the tz database, sorted.

    zone.tab has no former names and no aliases. Without that file these are all regional names.
    """
    lines = [line.split("\t") for line in _read("zone.tab").splitlines()]
    names = {columns[2] for columns in lines if len(columns) > 2 and not columns[0].startswith("#")}
    regional = names or {name for name in zoneinfo.available_timezones() if "/" in name}
    return tuple(sorted(regional | {_UTC}))


def canonical_zone_name(name: str) -> str:
    """Return the name in `zone_names` for a name or an alias, "" if there is none.

    Browsers report some zones by their former names, such as "Asia/Calcutta" for "Asia/Kolkata".
    """
    target = _targets().get(name, name)
    candidates = (name, target, _names_by_target().get(target, ""))
    return next((one for one in candidates if one in zone_names()), "")


@functools.cache
def _names_by_target() -> dict[str, str]:
    """Return the names in `zone_names` that are aliases, by their target: "UTC" by "Etc/UTC"."""
    return {target: name for name in zone_names() if (target := _targets().get(name))}


@functools.cache
def _targets() -> dict[str, str]:
    """Return the target of each alias: the lines "L target alias" of tzdata.zi."""
    lines = [line.split() for line in _read("tzdata.zi").splitlines()]
    return {columns[2]: columns[1] for columns in lines if len(columns) == 3 and columns[0] == "L"}


def _read(name: str) -> str:
    paths = (Path(directory, name) for directory in zoneinfo.TZPATH)
    return next((path.read_text(encoding="utf-8") for path in paths if path.is_file()), "")
