"""`make lighthouse`: the scores of Lighthouse for the list and the page of an order.

Of performance, accessibility and best practices, each from 0 to 100; the goal is 100. The pages are
those of a signed-in agent, with an emulator of Goody whose orders are in the index. LIGHTHOUSE_RUNS
(3) is the number of runs, of which the median counts, and LIGHTHOUSE_PRESET is desktop, or mobile:
a slow phone on a slow network. The audits that cost points are listed.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from bench import report
from bench.report import Goal
from bench.serving import (
    collect_static,
    prepare_database,
    process_environment,
    run_command,
    running_web_server,
    sign_in_agent,
)
from testing.browser import ARGUMENTS, system_chromium
from testing.postgres import free_port
from testing.serving import TOP, Visitor
from testing.vendor import Emulator

_LIGHTHOUSE = TOP / ".lighthouse" / "node_modules" / ".bin" / "lighthouse"
_RUNS = int(os.environ.get("LIGHTHOUSE_RUNS", "3"))
_PRESET = os.environ.get("LIGHTHOUSE_PRESET", "desktop")
_CATEGORIES = ("performance", "accessibility", "best-practices")
_ORDERS = 500
_PERFECT = 100.0
_TIMEOUT = 180.0

type Report = dict[str, Any]


def main() -> None:
    if not _LIGHTHOUSE.exists():
        raise SystemExit("Lighthouse is not installed: `sh bin/lighthouse` installs it.")
    if not system_chromium():
        raise SystemExit("There is no Chromium: `sh bin/test` installs it.")
    print(report.describe_machine())
    collect_static()
    with _running_dashboard() as (visitor, order_id):
        report.print_title(
            f"Lighthouse, {_PRESET}, median of {_RUNS}", "speed", "access", "practices"
        )
        pages = {"list": "/orders/", "order": f"/orders/{order_id}/"}
        is_met = [_measure(name, visitor, path) for name, path in pages.items()]
    sys.exit(0 if all(is_met) else 1)


@contextmanager
def _running_dashboard() -> Iterator[tuple[Visitor, str]]:
    """Yield a signed-in agent, and the id of an order that is shipped."""
    emulator = Emulator(orders=_ORDERS)
    try:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{folder}/lighthouse.sqlite3"
            env = process_environment(database_url=url, goody_url=emulator.url)
            prepare_database(env)
            run_command(["manage.py", "sync_orders"], env=env)
            with running_web_server(env) as web:
                yield sign_in_agent(web), emulator.find_order_id(status="shipped")
    finally:
        emulator.stop()


def _measure(name: str, visitor: Visitor, path: str) -> bool:
    """Print the scores of a page; return whether all are met."""
    reports = [_run(visitor, path) for _ in range(_RUNS)]
    scores = [
        statistics.median(_score(one, category) for one in reports) for category in _CATEGORIES
    ]
    goals = [
        Goal(category, score, _PERFECT, is_floor=True)
        for category, score in zip(_CATEGORIES, scores, strict=True)
    ]
    report.print_row(name, *scores, goals=goals)
    for text in sorted({text for one in reports for text in _lost_points(one)}):
        report.print_note(f"  {text}")
    return all(goal.is_met for goal in goals)


def _run(visitor: Visitor, path: str) -> Report:
    """Return the report of one run in a new browser."""
    with tempfile.TemporaryDirectory() as folder, _running_browser(folder, visitor) as port:
        output = Path(folder) / "report.json"
        command = _command(visitor.base + path, port=port, output=output)
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
        if done.returncode:
            raise SystemExit(f"Lighthouse failed:\n{done.stderr}")
        read: Report = json.loads(output.read_text())
        return read


@contextmanager
def _running_browser(folder: str, visitor: Visitor) -> Iterator[int]:
    """Yield the debugging port of a Chromium that is signed in as the visitor is."""
    port = free_port()
    with sync_playwright() as started:
        context = started.chromium.launch_persistent_context(
            f"{folder}/profile",
            executable_path=system_chromium(),
            args=[*ARGUMENTS, f"--remote-debugging-port={port}"],
        )
        for name, value in visitor.http.cookies.get_dict().items():
            context.add_cookies([{"name": name, "value": value, "url": visitor.base}])
        yield port
        context.close()


def _command(url: str, *, port: int, output: Path) -> Sequence[str]:
    preset = ["--preset=desktop"] if _PRESET == "desktop" else []
    return [
        *(str(_LIGHTHOUSE), url, "--quiet", "--output=json", f"--output-path={output}", *preset),
        f"--port={port}",
        f"--only-categories={','.join(_CATEGORIES)}",
    ]


def _score(one: Report, category: str) -> float:
    return round(float(one["categories"][category]["score"]) * 100)


def _lost_points(one: Report) -> Iterator[str]:
    """Yield the audits below the full score that count in their category."""
    audits: Mapping[str, Report] = one["audits"]
    for category in _CATEGORIES:
        for reference in one["categories"][category]["auditRefs"]:
            audit = audits[reference["id"]]
            score = audit["score"]
            if reference["weight"] and score is not None and score < 1:
                shown = audit.get("displayValue", "")
                yield f"{category}: {audit['title']} {score * 100:.0f} {shown}".strip()


if __name__ == "__main__":
    main()
