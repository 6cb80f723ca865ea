"""What was measured: milliseconds of one kind of request, and taking several kinds in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

type Request = Callable[[], object]

_WARM_UP = 5
# A request that takes seconds is asked so often at least, and no longer than this in all.
_FEWEST = 3
_PATIENCE = 30.0


@dataclass
class Series:
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
        if len(self.took) == 1:
            return self.took[0]
        return statistics.quantiles(self.took, n=20, method="inclusive")[-1]

    @property
    def seconds(self) -> float:
        return sum(self.took) / 1000


def in_turn(
    requests: Mapping[str, Request],
    *,
    rounds: int,
    warm_up: int | None = None,
    policy: float = _PATIENCE,
) -> dict[str, Series]:
    """Ask all of them once, then again, so that a machine that drifts drifts for all.

    The first `warm_up` rounds do not count. One that takes so long that `patience` seconds are
    over is asked no more, and all its answers count.
    """
    series = {name: Series(name) for name in requests}
    warm_up = min(_WARM_UP, rounds) if warm_up is None else warm_up
    for number in range(warm_up + rounds):
        for name, request in requests.items():
            one = series[name]
            if number == warm_up and one.seconds < policy:
                one.took.clear()
            if len(one.took) < _FEWEST or one.seconds < policy:
                one.measure(request)
    return series
