"""One question to Goody at a time, asked until it is answered."""

from __future__ import annotations

from collections.abc import Generator

from goody.errors import RateLimited, Rejected, Unauthorized
from orders.gatekeeper import GateClosed

from .fetching import Answered, Call, Crowded
from .sources import Ask
from .walking import Tools

_PATIENCE = 0.25

type Steps[T] = Generator[float, None, T]


def ask(tools: Tools, question: Ask) -> Steps[Answered]:
    """The answer; each step yields the seconds to wait before the next.

    Raises LeaseLost, or a refusal that asking again will not change. Nobody else may be asking
    through the same fetchers meanwhile.
    """
    while True:
        try:
            tools.fetchers.ask([Call(None, question)])
        except (GateClosed, Crowded) as closed:
            yield tools.trouble.note(closed)
            continue
        while not (answered := tools.fetchers.collect(timeout=_PATIENCE)):
            tools.lease.keep()
            yield 0.0
        if answered.error is None:
            tools.trouble.is_over()
            return answered
        if is_final(answered.error):
            raise answered.error
        yield tools.trouble.note(answered.error)


def is_final(error: Exception) -> bool:
    """A refusal that asking again will not change."""
    return isinstance(error, Rejected) and not isinstance(error, RateLimited | Unauthorized)
