"""Measured times of requests, and measuring several kinds of requests in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

type Request = Callable[[], object]

_WARM_UP = 5
# Minimum rounds and maximum total seconds of a slow request.
_FEWEST = 3
_MAX_SECONDS = 30.0


@dataclass
class Timings:
    """Milliseconds of one kind of request."""

    name: str
    milliseconds: list[float] = field(default_factory=list)

    def measure[T](self, request: Callable[[], T]) -> T:
        start = time.perf_counter()
        answer = request()
        self.milliseconds.append((time.perf_counter() - start) * 1000)
        return answer

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds)

    @property
    def p95(self) -> float:
        return self._percentile(95)

    @property
    def p99(self) -> float:
        return self._percentile(99)

    def _percentile(self, percent: int) -> float:
        if len(self.milliseconds) == 1:
            return self.milliseconds[0]
        return statistics.quantiles(self.milliseconds, n=100, method="inclusive")[percent - 1]

    @property
    def seconds(self) -> float:
        return sum(self.milliseconds) / 1000


def measure_alternately(
    requests: Mapping[str, Request],
    *,
    rounds: int,
    warm_up: int | None = None,
    max_seconds: float = _MAX_SECONDS,
) -> dict[str, Timings]:
    """Measure each kind of request once per round, so that a slow machine affects all alike.

    The first `warm_up` rounds do not count. A kind that has taken `max_seconds` is not measured
    again, and all its rounds count.
    """
    series = {name: Timings(name) for name in requests}
    warm_up = min(_WARM_UP, rounds) if warm_up is None else warm_up
    for number in range(warm_up + rounds):
        for name, request in requests.items():
            one = series[name]
            if number == warm_up and one.seconds < max_seconds:
                one.milliseconds.clear()
            if len(one.milliseconds) < _FEWEST or one.seconds < max_seconds:
                one.measure(request)
    return series
