"""Questions to Goody outside a walk, asked until they are answered."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from goody.errors import BadResponse, GoodyError, RateLimited, Rejected, Unauthorized
from orders.goody_api import CallsBlocked

from .fetching import Answered, Call, Crowded
from .sources import Ask
from .walking import Tools

_PATIENCE = 0.25

type Steps[T] = Generator[float, None, T]


def ask(tools: Tools, question: Ask) -> Steps[Answered]:
    """The answer; each step yields the seconds to wait before the next.

    Raises LeaseLost, or what asking again will not change: a refusal, or a BadResponse where the
    answer is too large. Nobody else may be asking
    through the same fetchers meanwhile.
    """
    [answered] = yield from ask_all(tools, [question])
    return answered


def ask_all(tools: Tools, questions: Sequence[Ask]) -> Steps[list[Answered]]:
    """As `ask`, several at once: their answers in their order."""
    answers: dict[int, Answered] = {}
    while missing := [n for n in range(len(questions)) if n not in answers]:
        failures = []
        for answered in (yield from _make(tools, [Call(n, questions[n]) for n in missing])):
            if answered.error is None:
                answers[answered.about] = answered
            else:
                failures.append(answered.error)
        if failures:
            yield _judge(tools, failures)
        else:
            tools.trouble.is_over()
    return [answers[n] for n in range(len(questions))]


def try_once(tools: Tools, question: Ask) -> Steps[Answered]:
    """As `ask`, but with whatever the call ended in; only a closed gate is waited for."""
    while True:
        [answered] = yield from _make(tools, [Call(0, question)])
        if answered.error is None:
            tools.trouble.is_over()
        if not isinstance(answered.error, RateLimited | Unauthorized):
            return answered
        yield tools.trouble.note(answered.error)


def _make(tools: Tools, calls: Sequence[Call]) -> Steps[list[Answered]]:
    """What the calls ended in, once the gate lets them through."""
    while True:
        try:
            tools.fetchers.ask(calls)
            break
        except (CallsBlocked, Crowded) as closed:
            yield tools.trouble.note(closed)
    answers: list[Answered] = []
    while len(answers) < len(calls):
        if answered := tools.fetchers.collect(timeout=_PATIENCE):
            answers.append(answered)
        else:
            tools.lease.keep()
            yield 0.0
    return answers


def _judge(tools: Tools, failures: Sequence[GoodyError]) -> float:
    """The seconds to wait after failures that came at once and count as one."""
    for error in failures:
        if is_final(error):
            raise error
    return tools.trouble.note(failures[0])


def is_final(error: Exception) -> bool:
    """Asking again will not change it: a refusal, or an answer that is too large."""
    if isinstance(error, BadResponse):
        return error.kind == "too_large"
    return isinstance(error, Rejected) and not isinstance(error, RateLimited | Unauthorized)
