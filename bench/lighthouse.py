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

from bench import report
from bench.report import Goal
from bench.serving import (
    collect_static,
    environment,
    prepare_database,
    run_command,
    running_web_server,
    sign_in_agent,
)
from testing.browser import ARGUMENTS, system_chromium
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
        report.print_title(f"Lighthouse, {_PRESET}, median of {_RUNS}", *_CATEGORIES)
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
            env = environment(database_url=url, goody_url=emulator.url)
            prepare_database(env)
            run_command(["manage.py", "sync_orders"], env=env)
            with running_web_server(env) as web:
                yield sign_in_agent(web), emulator.find_id(status="shipped")
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
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.http.cookies.items())
    with tempfile.TemporaryDirectory() as folder:
        # In a file, since the arguments of a process are public.
        headers, output = Path(folder) / "headers.json", Path(folder) / "report.json"
        headers.write_text(json.dumps({"Cookie": cookies}))
        command = _command(visitor.base + path, headers, output)
        env = {**os.environ, "CHROME_PATH": system_chromium()}
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
        if done.returncode:
            raise SystemExit(f"Lighthouse failed:\n{done.stderr}")
        read: Report = json.loads(output.read_text())
        return read


def _command(url: str, headers: Path, output: Path) -> Sequence[str]:
    preset = ["--preset=desktop"] if _PRESET == "desktop" else []
    return [
        *(str(_LIGHTHOUSE), url, "--quiet", "--output=json", f"--output-path={output}", *preset),
        f"--extra-headers={headers}",
        f"--only-categories={','.join(_CATEGORIES)}",
        f"--chrome-flags={' '.join(('--headless=new', *ARGUMENTS))}",
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
