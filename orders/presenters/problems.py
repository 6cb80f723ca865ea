"""Why Goody could not be asked, in the words that somebody's role calls for."""

from __future__ import annotations

from goody.errors import NO_EVIDENCE, Unauthorized
from orders.audit import Actor, Right
from orders.goody_api import KeyRejected
from orders.services import why_not_fresh

_ABOUT_THE_KEY = {
    why_not_fresh(KeyRejected()),
    why_not_fresh(Unauthorized(message="", evidence=NO_EVIDENCE)),
}


def problem_in_words(problem: str, actor: Actor) -> str:
    """`problem` as orders.services gives it. That the key is rejected is said to admins alone."""
    if problem in _ABOUT_THE_KEY and not actor.may(Right.SYSTEM):
        return "This dashboard has no working connection to Goody at present"
    return problem
