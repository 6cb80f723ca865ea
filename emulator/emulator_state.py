"""The state of a running emulator, which a reset restores."""

from threading import Event

from emulator.call_log import CallLog
from emulator.faults import FaultRules
from emulator.late_requests import LateRequests
from emulator.store import OrderStore


class EmulatorState:
    """The orders, fault rules, late requests, the call log and the latency (seconds)."""

    def __init__(self, *, orders: int, seed: int, now: int, data: str) -> None:
        self.stopping = Event()
        self.latency = 0.0
        self.store = OrderStore(orders=orders, seed=seed, now=now, data=data)
        self.calls = CallLog()
        self.faults = FaultRules()
        self.late = LateRequests(self.stopping)

    def reset(self) -> None:
        """Restore the initial state: data, clock, switches, faults, counts and latency."""
        self.latency = 0.0
        self.late.clear()
        self.faults.clear()
        self.store.reset()
        self.calls.clear()
