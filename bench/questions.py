"""The measured requests of the list: fixed ones, and random ones from a seed.

Their words, names and page positions come from the database (facts.py).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

type Facts = Mapping[str, Any]
type Params = Mapping[str, str | list[str]]

_TYPING = {"HX-Request": "true", "HX-Target": "section#results", "HX-Source": "input#q"}


class QuestionKind(StrEnum):
    """The kind of a question, which decides its goal (list_pages.py).

    The last three are fragments that the browser requests by itself.
    """

    PLAIN = "plain"
    FEW = "few hits"
    MISS = "miss"
    SEARCH = "search"
    OTHER = "other"
    HARD = "adversarial"
    FACETS = "facets"
    TYPING = "typing"
    SIMILAR = "similar names"


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    kind: QuestionKind
    params: Params
    path: str = "/orders/"

    @property
    def url(self) -> str:
        return f"{self.path}?{urlencode(self.params, doseq=True)}" if self.params else self.path

    @property
    def headers(self) -> Mapping[str, str] | None:
        return _TYPING if self.kind is QuestionKind.TYPING else None


def fixed_questions(facts: Facts) -> list[Question]:
    """Return the questions that every run asks, in a fixed order.

    They are every sort, every filter alone, the most common pairs of filters, each preset of the
    expiration, searches from no hit to most orders, the middle and the end of the list, and the
    fragments of the page.
    """
    return [
        *_sorts(),
        *_filters(facts),
        *_presets(),
        *_pairs(facts),
        *_searches(facts),
        *_places(facts),
        *_parts(facts),
    ]


def _sorts() -> Iterator[Question]:
    yield Question("newest page", QuestionKind.PLAIN, {})
    for sort in ("created", "expires", "-expires", "amount", "-amount", "recipient", "-recipient"):
        yield Question(f"sort {sort}", QuestionKind.PLAIN, {"sort": sort})


def _filters(facts: Facts) -> Iterator[Question]:
    today = _today(facts)
    week, month_ago = timedelta(days=7), today - timedelta(days=30)
    asked: dict[str, Params] = {
        "status delivered": {"status": "delivered"},
        "status pending_payment": {"status": "pending_payment"},
        "status canceled": {"status": "canceled"},
        "three statuses": {"status": ["created", "notified", "opened"]},
        "created on a day": {
            "created_after": str(today - week),
            "created_before": str(today - week),
        },
        "created in a month": {"created_after": str(month_ago), "created_before": str(today)},
        "expires in days": {"expires_after": str(today), "expires_before": str(today + week)},
        "workspace": {"workspace": facts["workspace"]},
        "sender": {"sender": facts["sender"]},
        "sender by name": {"sender": "kov"},
        "batch": {"batch": facts["batch"]},
        "product": {"product": facts["product"]},
        "brand": {"brand": facts["brand"]},
        "swapped": {"swapped": "yes"},
        "not swapped": {"swapped": "no"},
        "payment pending": {"payment": "pending"},
        "delivery trouble": {"delivery": "trouble"},
    }
    for name, params in asked.items():
        yield Question(name, QuestionKind.PLAIN, params)


def _presets() -> Iterator[Question]:
    for preset in ("24h", "3d", "7d", "14d", "expired", "never"):
        yield Question(f"expires {preset}", QuestionKind.PLAIN, {"expires": preset})


def _pairs(facts: Facts) -> Iterator[Question]:
    today = _today(facts)
    opened = {"status": ["created", "notified", "opened"]}
    asked: dict[str, Params] = {
        "status + expires 7d": {"status": "opened", "expires": "7d"},
        "three statuses + expires 3d": {**opened, "expires": "3d"},
        "workspace + status": {"workspace": facts["workspace"], "status": "opened"},
        "workspace + expires 7d": {"workspace": facts["workspace"], "expires": "7d"},
        "sender + status": {"sender": facts["sender"], "status": "delivered"},
        "status + created in a month": {
            "status": "canceled",
            "created_after": str(today - timedelta(days=30)),
        },
        "product + status": {"product": facts["product"], "status": "shipped"},
        "brand + workspace": {"brand": facts["brand"], "workspace": facts["workspace"]},
        "name + status": {"q": facts["first_name"], "status": "delivered"},
        "name + expires 14d": {"q": facts["first_name"], "expires": "14d"},
        "name + expired": {"q": facts["first_name"], "expires": "expired"},
        "status + amount": {"status": "delivered", "sort": "-amount"},
        **_in_a_year(facts),
    }
    for name, params in asked.items():
        yield Question(name, QuestionKind.OTHER, params)


def _in_a_year(facts: Facts) -> dict[str, Params]:
    """Return requests for the orders created within a year (half of all), by other sorts."""
    year = {"created_after": str(_today(facts) - timedelta(days=365))}
    return {
        "created in a year, by expiration": {**year, "sort": "expires"},
        "created in a year, by expiration, latest first": {**year, "sort": "-expires"},
        "created in a year, by amount": {**year, "sort": "-amount"},
        "two words, created in a year, by expiration": {
            **year,
            "q": facts["common_words"],
            "sort": "expires",
        },
    }


def _today(facts: Facts) -> date:
    return datetime.fromisoformat(facts["now"]).date()


def _searches(facts: Facts) -> Iterator[Question]:
    def hits(word: str) -> str:
        return f"search, {word}: {facts[f'{word}_hits']:,} hits"

    yield Question(hits("nobody"), QuestionKind.MISS, {"q": facts["nobody"]})
    yield Question(hits("one"), QuestionKind.FEW, {"q": facts["one"]})
    yield Question(hits("twenty"), QuestionKind.FEW, {"q": facts["twenty"]})
    yield Question("two e-mail addresses", QuestionKind.FEW, {"q": facts["two_emails"]})
    asked: dict[str, str] = {
        hits("many"): facts["many"],
        hits("most"): facts["most"],
        "two letters": "ma",
        "one letter": "g",
        "CJK pair": "小龍",
        "two words": facts["name"],
        "word of products and messages": facts["everywhere"],
        "product by name": facts["product_name"],
        "brand by name": facts["brand_name"],
        "beginning of a receipt": facts["reference"][:10],
        "not this name": f"-{facts['first_name']}",
        "operators": "status:opened expires:<7d",
    }
    for name, text in asked.items():
        yield Question(name, QuestionKind.SEARCH, {"q": text})
    yield Question("adversarial term", QuestionKind.HARD, {"q": facts["adversarial"]})


def _places(facts: Facts) -> Iterator[Question]:
    yield Question(f"depth {facts['depth']:,}", QuestionKind.PLAIN, {"position": facts["deep"]})
    yield Question("last page", QuestionKind.PLAIN, {"position": facts["last"]})


def _parts(facts: Facts) -> Iterator[Question]:
    counted: dict[str, Params] = {
        "counts": {},
        "counts, status": {"status": "opened"},
        "counts, few hits": {"q": facts["twenty"]},
        "counts, many hits": {"q": facts["many"]},
    }
    for name, params in counted.items():
        yield Question(name, QuestionKind.FACETS, params, path="/orders/facets/")
    typed = {
        "typing, many hits": facts["many"],
        "typing, few hits": facts["twenty"],
        "typing, one hit": facts["one"],
        "typing, no hit": facts["nobody"],
        "typing, two letters": "ma",
    }
    for name, text in typed.items():
        yield Question(name, QuestionKind.TYPING, {"q": text})
    misspelled = {
        "did you mean, name": facts["misspelled_name"],
        "did you mean, address": facts["misspelled_email"],
        "did you mean, last name and status": f"{facts['misspelled_last_name']} status:delivered",
        "did you mean, four words": f"{facts['misspelled_name']} {facts['misspelled_name']}",
        "did you mean, nobody": facts["nobody"],
        "did you mean, adversarial term": facts["adversarial"],
    }
    for name, text in misspelled.items():
        yield Question(name, QuestionKind.SIMILAR, {"q": text}, path="/orders/box/")


def random_questions(facts: Facts, *, count: int, seed: int = 1) -> list[Question]:
    """Return one to four conditions with any sort; equal seeds give equal questions."""
    draw, pool = random.Random(seed), _pool(facts)
    return [_draw(draw, pool, number) for number in range(count)]


def _draw(draw: random.Random, pool: Mapping[str, list[str]], number: int) -> Question:
    names = draw.sample(sorted(pool), draw.randint(1, 4))
    params = {name: draw.choice(pool[name]) for name in names}
    return Question(f"combination {number}", QuestionKind.OTHER, params)


def _pool(facts: Facts) -> dict[str, list[str]]:
    today = _today(facts)
    words = (
        *("one", "twenty", "many", "most", "nobody", "first_name", "product_name"),
        *("two_emails", "common_words", "everywhere"),
    )
    return {
        "q": [facts[word] for word in words] + ["ma", "小龍", "-maria", "is:swapped"],
        "status": ["created", "notified", "opened", "delivered", "canceled", "pending_payment"],
        "expires": ["24h", "3d", "7d", "14d", "expired", "never"],
        "created_after": [str(today - timedelta(days=ago)) for ago in (30, 90, 365)],
        "created_before": [str(today - timedelta(days=ago)) for ago in (0, 7, 14)],
        "workspace": [facts["workspace"], "sales"],
        "sender": [facts["sender"], "lee"],
        "batch": [facts["batch"]],
        "product": [facts["product"], "tea"],
        "brand": [facts["brand"], "leaf"],
        "swapped": ["yes", "no"],
        "payment": ["pending", "no"],
        "delivery": ["trouble", "no"],
        "sort": ["created", "expires", "-expires", "amount", "-amount", "recipient", "-recipient"],
    }
