"""The measured requests of the list: fixed ones, and random ones from a seed.

Their words, names and page positions come from the database (request_values.py).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

type RequestValues = Mapping[str, Any]
type Params = Mapping[str, str | list[str]]

_TYPING = {"HX-Request": "true", "HX-Target": "section#results", "HX-Source": "input#q"}


class RequestKind(StrEnum):
    """The kind of a request, which determines its goal (list_pages.py).

    The last three are fragments that the page's script requests.
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
class MeasuredRequest:
    name: str
    kind: RequestKind
    params: Params
    path: str = "/orders/"

    @property
    def url(self) -> str:
        return f"{self.path}?{urlencode(self.params, doseq=True)}" if self.params else self.path

    @property
    def headers(self) -> Mapping[str, str] | None:
        return _TYPING if self.kind is RequestKind.TYPING else None


def fixed_requests(values: RequestValues) -> list[MeasuredRequest]:
    """Return the requests of every run, in a fixed order.

    They are every sort, every filter alone, the most common pairs of filters, each preset of the
    expiration, searches from no hit to most orders, the middle and the end of the list, and the
    fragments of the page.
    """
    return [
        *_sorts(),
        *_filters(values),
        *_presets(),
        *_pairs(values),
        *_searches(values),
        *_places(values),
        *_parts(values),
    ]


def _sorts() -> Iterator[MeasuredRequest]:
    yield MeasuredRequest("newest page", RequestKind.PLAIN, {})
    for sort in ("created", "expires", "-expires", "amount", "-amount", "recipient", "-recipient"):
        yield MeasuredRequest(f"sort {sort}", RequestKind.PLAIN, {"sort": sort})


def _filters(values: RequestValues) -> Iterator[MeasuredRequest]:
    today = _today(values)
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
        "workspace": {"workspace": values["workspace"]},
        "sender": {"sender": values["sender"]},
        "sender by name": {"sender": "kov"},
        "batch": {"batch": values["batch"]},
        "product": {"product": values["product"]},
        "brand": {"brand": values["brand"]},
        "swapped": {"swapped": "yes"},
        "not swapped": {"swapped": "no"},
        "payment pending": {"payment": "pending"},
        "delivery trouble": {"delivery": "trouble"},
    }
    for name, params in asked.items():
        yield MeasuredRequest(name, RequestKind.PLAIN, params)


def _presets() -> Iterator[MeasuredRequest]:
    for preset in ("24h", "3d", "7d", "14d", "expired", "never"):
        yield MeasuredRequest(f"expires {preset}", RequestKind.PLAIN, {"expires": preset})


def _pairs(values: RequestValues) -> Iterator[MeasuredRequest]:
    today = _today(values)
    opened = {"status": ["created", "notified", "opened"]}
    asked: dict[str, Params] = {
        "status + expires 7d": {"status": "opened", "expires": "7d"},
        "three statuses + expires 3d": {**opened, "expires": "3d"},
        "workspace + status": {"workspace": values["workspace"], "status": "opened"},
        "workspace + expires 7d": {"workspace": values["workspace"], "expires": "7d"},
        "sender + status": {"sender": values["sender"], "status": "delivered"},
        "status + created in a month": {
            "status": "canceled",
            "created_after": str(today - timedelta(days=30)),
        },
        "product + status": {"product": values["product"], "status": "shipped"},
        "brand + workspace": {"brand": values["brand"], "workspace": values["workspace"]},
        "name + status": {"q": values["first_name"], "status": "delivered"},
        "name + expires 14d": {"q": values["first_name"], "expires": "14d"},
        "name + expired": {"q": values["first_name"], "expires": "expired"},
        "status + amount": {"status": "delivered", "sort": "-amount"},
        **_in_a_year(values),
    }
    for name, params in asked.items():
        yield MeasuredRequest(name, RequestKind.OTHER, params)


def _in_a_year(values: RequestValues) -> dict[str, Params]:
    """Return the parameters of requests for the orders created within a year, by other sorts.

    These are half of all orders.
    """
    year = {"created_after": str(_today(values) - timedelta(days=365))}
    return {
        "created in a year, by expiration": {**year, "sort": "expires"},
        "created in a year, by expiration, latest first": {**year, "sort": "-expires"},
        "created in a year, by amount": {**year, "sort": "-amount"},
        "two words, created in a year, by expiration": {
            **year,
            "q": values["common_words"],
            "sort": "expires",
        },
    }


def _today(values: RequestValues) -> date:
    return datetime.fromisoformat(values["now"]).date()


def _searches(values: RequestValues) -> Iterator[MeasuredRequest]:
    def hits(word: str) -> str:
        return f"search, {word}: {values[f'{word}_hits']:,} hits"

    yield MeasuredRequest(hits("nobody"), RequestKind.MISS, {"q": values["nobody"]})
    yield MeasuredRequest(hits("one"), RequestKind.FEW, {"q": values["one"]})
    yield MeasuredRequest(hits("twenty"), RequestKind.FEW, {"q": values["twenty"]})
    yield MeasuredRequest("two e-mail addresses", RequestKind.FEW, {"q": values["two_emails"]})
    asked: dict[str, str] = {
        hits("many"): values["many"],
        hits("most"): values["most"],
        "two letters": "ma",
        "one letter": "g",
        "CJK pair": "小龍",
        "two words": values["name"],
        "word of products and messages": values["everywhere"],
        "product by name": values["product_name"],
        "brand by name": values["brand_name"],
        "beginning of a receipt": values["reference"][:10],
        "not this name": f"-{values['first_name']}",
        "operators": "status:opened expires:<7d",
    }
    for name, text in asked.items():
        yield MeasuredRequest(name, RequestKind.SEARCH, {"q": text})
    yield MeasuredRequest("adversarial term", RequestKind.HARD, {"q": values["adversarial"]})


def _places(values: RequestValues) -> Iterator[MeasuredRequest]:
    yield MeasuredRequest(
        f"depth {values['depth']:,}", RequestKind.PLAIN, {"position": values["deep"]}
    )
    yield MeasuredRequest("last page", RequestKind.PLAIN, {"position": values["last"]})


def _parts(values: RequestValues) -> Iterator[MeasuredRequest]:
    counted: dict[str, Params] = {
        "counts": {},
        "counts, status": {"status": "opened"},
        "counts, few hits": {"q": values["twenty"]},
        "counts, many hits": {"q": values["many"]},
    }
    for name, params in counted.items():
        yield MeasuredRequest(name, RequestKind.FACETS, params, path="/orders/facets/")
    typed = {
        "typing, many hits": values["many"],
        "typing, few hits": values["twenty"],
        "typing, one hit": values["one"],
        "typing, no hit": values["nobody"],
        "typing, two letters": "ma",
    }
    for name, text in typed.items():
        yield MeasuredRequest(name, RequestKind.TYPING, {"q": text})
    misspelled = {
        "did you mean, name": values["misspelled_name"],
        "did you mean, address": values["misspelled_email"],
        "did you mean, last name and status": f"{values['misspelled_last_name']} status:delivered",
        "did you mean, four words": f"{values['misspelled_name']} {values['misspelled_name']}",
        "did you mean, nobody": values["nobody"],
        "did you mean, adversarial term": values["adversarial"],
    }
    for name, text in misspelled.items():
        yield MeasuredRequest(name, RequestKind.SIMILAR, {"q": text}, path="/orders/box/")


def random_requests(values: RequestValues, *, count: int, seed: int = 1) -> list[MeasuredRequest]:
    """Return `count` requests with one to four conditions and a random sort, by the seed."""
    draw, pool = random.Random(seed), _pool(values)
    return [_draw(draw, pool, number) for number in range(count)]


def _draw(draw: random.Random, pool: Mapping[str, list[str]], number: int) -> MeasuredRequest:
    names = draw.sample(sorted(pool), draw.randint(1, 4))
    params = {name: draw.choice(pool[name]) for name in names}
    return MeasuredRequest(f"combination {number}", RequestKind.OTHER, params)


def _pool(values: RequestValues) -> dict[str, list[str]]:
    today = _today(values)
    words = (
        *("one", "twenty", "many", "most", "nobody", "first_name", "product_name"),
        *("two_emails", "common_words", "everywhere"),
    )
    return {
        "q": [values[word] for word in words] + ["ma", "小龍", "-maria", "is:swapped"],
        "status": ["created", "notified", "opened", "delivered", "canceled", "pending_payment"],
        "expires": ["24h", "3d", "7d", "14d", "expired", "never"],
        "created_after": [str(today - timedelta(days=ago)) for ago in (30, 90, 365)],
        "created_before": [str(today - timedelta(days=ago)) for ago in (0, 7, 14)],
        "workspace": [values["workspace"], "sales"],
        "sender": [values["sender"], "lee"],
        "batch": [values["batch"]],
        "product": [values["product"], "tea"],
        "brand": [values["brand"], "leaf"],
        "swapped": ["yes", "no"],
        "payment": ["pending", "no"],
        "delivery": ["trouble", "no"],
        "sort": ["created", "expires", "-expires", "amount", "-amount", "recipient", "-recipient"],
    }
