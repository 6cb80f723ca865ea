"""Questions to Goody outside a walk, asked until they are answered."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from goody.errors import GoodyError, RateLimited, Rejected, Unauthorized
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
    [answered] = yield from ask_all(tools, [question])
    return answered


def ask_all(tools: Tools, questions: Sequence[Ask]) -> Steps[list[Answered]]:
    """As `ask`, several at once: their answers in their order."""
    answers: dict[int, Answered] = {}
    while missing := [n for n in range(len(questions)) if n not in answers]:
        try:
            tools.fetchers.ask([Call(n, questions[n]) for n in missing])
        except (GateClosed, Crowded) as closed:
            yield tools.trouble.note(closed)
            continue
        failures = []
        for _ in missing:
            answered = yield from _collect(tools)
            if answered.error is None:
                answers[answered.about] = answered
            else:
                failures.append(answered.error)
        if failures:
            yield _judge(tools, failures)
        else:
            tools.trouble.is_over()
    return [answers[n] for n in range(len(questions))]


def _collect(tools: Tools) -> Steps[Answered]:
    while not (answered := tools.fetchers.collect(timeout=_PATIENCE)):
        tools.lease.keep()
        yield 0.0
    return answered


def _judge(tools: Tools, failures: Sequence[GoodyError]) -> float:
    """The seconds to wait after failures that came at once and count as one."""
    for error in failures:
        if is_final(error):
            raise error
    return tools.trouble.note(failures[0])


def is_final(error: Exception) -> bool:
    """A refusal that asking again will not change."""
    return isinstance(error, Rejected) and not isinstance(error, RateLimited | Unauthorized)
