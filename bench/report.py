"""Printed output: the machine, and tables of figures with their ratios and goals."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import psutil

_PACKAGES = ("django", "gunicorn", "msgspec", "requests", "psycopg")
_WIDTH = 44


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure and its goal: at most `limit`, or at least `limit` if `is_floor`."""

    name: str
    value: float
    limit: float
    unit: str = ""
    is_floor: bool = False

    @property
    def is_met(self) -> bool:
        return self.value >= self.limit if self.is_floor else self.value <= self.limit

    def __str__(self) -> str:
        sign = "≥" if self.is_floor else "≤"
        verdict = "met" if self.is_met else "MISSED"
        said = f"{self.name} {self.value:,.1f} {sign} {self.limit:,g}{self.unit} {verdict}"
        return said.strip()


def describe_machine() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{platform.system()} {platform.machine()}, {psutil.cpu_count()} cores, {memory:.0f} GiB, "
        f"load {psutil.getloadavg()[0]:.1f}\n"
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}"
    )


def print_title(text: str, *columns: str) -> None:
    print(f"\n{text:<{_WIDTH}}" + "".join(f"{column:>11}" for column in columns), flush=True)


def print_row(name: str, *figures: float | str | None, goals: Sequence[Goal] = ()) -> None:
    """Print one row; None leaves its column empty, and a missed goal is marked."""
    cells = "".join(f"{_cell(figure):>11}" for figure in figures)
    judged = "   " + "; ".join(map(str, goals)) if goals else ""
    print(f"  {name:<{_WIDTH - 2}}{cells}{judged}", flush=True)


def _cell(figure: float | str | None) -> str:
    if figure is None:
        return ""
    if isinstance(figure, str):
        return figure
    return f"{figure:,.0f}" if abs(figure) >= 1000 else f"{figure:,.2f}"


def print_missed_goals(goals: Sequence[Goal]) -> None:
    missed = [goal for goal in goals if not goal.is_met]
    print(f"  {len(goals) - len(missed)} of {len(goals)} goals met", flush=True)


def print_note(text: str) -> None:
    print(f"  {text}", flush=True)
