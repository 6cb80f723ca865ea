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
    took: list[float] = field(default_factory=list)

    def measure[T](self, request: Callable[[], T]) -> T:
        start = time.perf_counter()
        answer = request()
        self.took.append((time.perf_counter() - start) * 1000)
        return answer

    @property
    def median(self) -> float:
        return statistics.median(self.took)

    @property
    def p95(self) -> float:
        return self._percentile(95)

    @property
    def p99(self) -> float:
        return self._percentile(99)

    def _percentile(self, percent: int) -> float:
        if len(self.took) == 1:
            return self.took[0]
        return statistics.quantiles(self.took, n=100, method="inclusive")[percent - 1]

    @property
    def seconds(self) -> float:
        return sum(self.took) / 1000


def measure_in_turn(
    requests: Mapping[str, Request],
    *,
    rounds: int,
    warm_up: int | None = None,
    max_seconds: float = _MAX_SECONDS,
) -> dict[str, Timings]:
    """Measure each kind once a round, so that a drift of the machine affects all alike.

    The first `warm_up` rounds do not count. A kind that has taken `max_seconds` is not measured
    again, and all its rounds count.
    """
    series = {name: Timings(name) for name in requests}
    warm_up = min(_WARM_UP, rounds) if warm_up is None else warm_up
    for number in range(warm_up + rounds):
        for name, request in requests.items():
            one = series[name]
            if number == warm_up and one.seconds < max_seconds:
                one.took.clear()
            if len(one.took) < _FEWEST or one.seconds < max_seconds:
                one.measure(request)
    return series
