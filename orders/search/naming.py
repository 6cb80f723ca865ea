"""What a pasted text names, looked up: these orders and no others, and what named each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS

from .budget import SECONDS, budget
from .hits import Hit
from .paging import Finder
from .query import Choice, Query


@dataclass(frozen=True, slots=True)
class Match:
    """An order, and by what it was found: "order id", "receipt reference", "gift link", "batch id"
    or "e-mail"."""

    hit: Hit
    by: str


def exact(
    *,
    ids: Sequence[UUID] = (),
    references: Sequence[str] = (),
    emails: Sequence[str] = (),
    gift_tokens: Sequence[str] = (),
    limit: int = 50,
    now: datetime,
    using: str = DEFAULT_DB_ALIAS,
) -> list[Match]:
    """The orders named, the surest first and each once: by its id, reference and gift link before
    by its batch's id and the recipient's address; the newest `limit` of each.

    `ids` are of orders or batches. A token looks like a reference, so that `references` are looked
    for among both. Raises TooBroad.
    """
    questions = (
        ("order id", Query(order_ids=tuple(ids)) if ids else None),
        ("receipt reference", Query(references=tuple(references)) if references else None),
        ("gift link", _by_token((*gift_tokens, *references))),
        ("batch id", Query(batches=tuple(Choice(text=str(one)) for one in ids)) if ids else None),
        ("e-mail", Query(emails=tuple(emails)) if emails else None),
    )
    found: dict[UUID, Match] = {}
    with budget(SECONDS, using=using) as given:
        for by, query in questions:
            if query is not None:
                finder = Finder(given, query, now=now)
                for hit in finder.page(limit, None, backwards=False).hits:
                    found.setdefault(hit.uuid, Match(hit, by))
    return list(found.values())


def _by_token(tokens: Sequence[str]) -> Query | None:
    return Query(gift_tokens=tuple(tokens)) if tokens else None
