"""The emulator as a process, controlled through its control routes.

Tests use these methods instead of the paths of the control routes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

from testing.parent_death import kill_with_parent

TOP = Path(__file__).resolve().parent.parent
KEY = "test-key"
ORDERS = 300
# With so few orders not every seed has an order in each status.
SEED = 1242


class Emulator:
    """A running emulator. reset() restores the initial orders, clock and switches."""

    def __init__(self, *, orders: int = ORDERS) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *f"emulator --port 0 --orders {orders} --seed {SEED}".split()],
            cwd=TOP,
            env={**os.environ, "EMULATOR_API_KEY": KEY},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=kill_with_parent(),  # noqa: PLW1509 - one system call
        )
        assert self._process.stdout
        line = self._process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, f"the emulator did not start: {line!r}"
        self.url = found[0]
        self.key = KEY
        self._http = requests.Session()
        self._http.trust_env = False

    def stop(self) -> None:
        self._http.close()
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout
        self._process.stdout.close()

    def control(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Call a route under /_emulator/ and return the decoded answer; fail on a refusal."""
        answer = self._http.request(
            method, f"{self.url}/_emulator/{path}", json=body, params=query, timeout=10
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def reset(self) -> None:
        self.control("POST", "reset")

    def find_orders(self, *, limit: int = 20, **wanted: Any) -> list[dict[str, Any]]:
        """Return orders, newest first: id, status, expires_at, created_at, position in the list.

        Conditions: status, expires_within_hours, no_expiry, unaccepted_expired, swapped,
        has_thank_you, hostile. Fails if no order meets them.
        """
        found: list[dict[str, Any]] = self.control("GET", "orders", limit=limit, **wanted)["orders"]
        assert found, f"the emulator has no order with {wanted}"
        return found

    def find_order_id(self, **wanted: Any) -> str:
        return str(self.find_orders(limit=1, **wanted)[0]["id"])

    def get_order(self, order_id: object) -> dict[str, Any]:
        """Return the order's present state at Goody; not counted as a call."""
        shown: dict[str, Any] = self.control("GET", f"orders/{order_id}")
        return shown

    def change_order(self, order_id: object, **fields: Any) -> Any:
        """Change fields of the order at Goody, as another person would."""
        return self.control("POST", f"orders/{order_id}", fields)

    def make_random_changes(
        self, *, seed: int, changes: int, kinds: list[str] | None = None
    ) -> Any:
        """Make random changes, determined by the seed; return them."""
        body = {"seed": seed, "changes": changes, "kinds": kinds}
        return self.control("POST", "churn", body)

    def all_orders(self, *, start: int = 0) -> dict[str, dict[str, Any]]:
        """Return every order in detail by id, oldest first, without the first `start` orders."""
        found: dict[str, dict[str, Any]] = {}
        following: int | None = start
        while following is not None:
            part = self.control("GET", "truth", start=following)
            found |= {order["id"]: order for order in part["orders"]}
            following = part["next"]
        return found

    def create_orders(self, *, count: int = 1, **fields: Any) -> Any:
        return self.control("POST", "orders", {"count": count, "fields": fields})["orders"]

    def add_fault(
        self,
        fault: dict[str, Any],
        *,
        method: str = "",
        path: str = "",
        times: int | None = None,
        skip: int = 0,
    ) -> Any:
        """Add a rule: matching calls get `fault`, `times` times or always, after the first `skip`.

        The emulator's README describes the faults.
        """
        match = {k: v for k, v in {"method": method, "path": path}.items() if v}
        rule = {"match": match, "times": times, "skip": skip, "fault": fault}
        return self.control("POST", "faults", rule)

    def clear_faults(self) -> None:
        self.control("DELETE", "faults")

    def set_switches(self, **values: str) -> None:
        self.control("POST", "switches", values)

    def advance_clock(self, seconds: float) -> None:
        self.control("POST", "clock", {"advance_seconds": seconds})

    def set_latency(self, seconds: float) -> None:
        self.control("POST", "latency", {"seconds": seconds})

    def calls(self) -> dict[str, Any]:
        """Return counts (by method and route), total, posts, max_concurrent, recent."""
        report: dict[str, Any] = self.control("GET", "calls")
        return report

    def posts(self) -> int:
        return int(self.calls()["posts"])

    def ledger(self, **wanted: str) -> list[dict[str, Any]]:
        """Return the writes that reached the store, oldest first; filters: order_id, kind."""
        entries: list[dict[str, Any]] = self.control("GET", "ledger", **wanted)["entries"]
        return entries
