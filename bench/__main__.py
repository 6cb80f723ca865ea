"""`python -m bench [core] [list] [expiring] [preview] [peers] ...`: see the package."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence

from bench import (
    browser_pages,
    bulk_preview,
    expiring_page,
    job_runs,
    list_pages,
    live_pages,
    peers,
    report,
    sync_runs,
)
from bench.databases import ORDERS
from bench.serving import collect_static

_DATABASES: dict[str, Sequence[str]] = {
    "sqlite": ("sqlite",),
    "postgresql": ("postgresql",),
    "both": ("sqlite", "postgresql"),
}


def main() -> None:
    vendors = _vendors()
    parts: dict[str, Callable[[], None]] = {
        "core": live_pages.measure_live_pages,
        "list": lambda: _each(list_pages.measure_list, vendors),
        "expiring": lambda: _each(expiring_page.measure_expiring, vendors),
        "preview": lambda: _each(bulk_preview.measure_preview, vendors),
        "jobs": lambda: _each(job_runs.measure_jobs, vendors),
        "peers": peers.measure_peers,
        "browser": browser_pages.measure_browser,
        "sync": lambda: _each(sync_runs.measure_sync, vendors),
    }
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed and memory.")
    parser.add_argument("part", nargs="*", help=f"any of: {', '.join(parts)}; all of them if none")
    asked = parser.parse_args().part or list(parts)
    if unknown := set(asked) - set(parts):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    print(report.describe_machine())
    print(f"{ORDERS:,} orders; goals were set for 1,000,000 and an idle machine")
    # SIGTERM must also end the started processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    collect_static()
    for name in asked:
        parts[name]()


def _vendors() -> Sequence[str]:
    wanted = os.environ.get("DATABASE", "sqlite")
    if wanted not in _DATABASES:
        raise SystemExit(f"DATABASE is {wanted!r}; it may be {', '.join(_DATABASES)}.")
    return _DATABASES[wanted]


def _each(measure: Callable[[str], None], vendors: Sequence[str]) -> None:
    for vendor in vendors:
        measure(vendor)


if __name__ == "__main__":
    main()
