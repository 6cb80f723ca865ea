"""`python -m bench.request_values`: search words, keys and positions for list_requests.py, as JSON.

For example the word with about twenty hits, the largest workspace, or the key of the middle of a
list. They are found in the database of DATABASE_URL, so that the requests fit any orders.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import django
from django.db.models import Count, Q

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from orders.list_url import IndexPosition  # noqa: E402
from orders.models import Label, Order, SearchText  # noqa: E402
from orders.search import PageKey  # noqa: E402

_SAMPLE = 2_000
# The number of orders whose names and addresses are split into search words.
_CUT = 15
_DEPTH = 500_000
_COMMON = 0.05
_NOBODY = "qzxjvkqw"
_WORD = re.compile(r"[A-Za-z]{4,}")
_FIRST_NAME = re.compile(r"[A-Z][a-z]{2,6} ")


class PeopleTexts:
    """The folded names and addresses of all orders, and the frequencies of their parts."""

    def __init__(self, texts: Sequence[str], sample: Sequence[str], elsewhere: str) -> None:
        """`elsewhere`: all other folded texts that a search includes."""
        self._texts = texts
        self._sample = sample
        self._elsewhere = elsewhere

    def count_hits(self, term: str) -> int:
        return sum(term in text for text in self._texts)

    @cached_property
    def _by_term(self) -> dict[str, int]:
        terms = {term for text in self._sample[:_CUT] for term in _parts(text)}
        return {term: self.count_hits(term) for term in sorted(terms)}

    def term_with_hits(self, wanted: int, *, is_exact: bool = False) -> str:
        """Return a term with about `wanted` hits. With `is_exact` it occurs in no other field."""
        found = {
            term: n
            for term, n in self._by_term.items()
            if n and not (is_exact and term in self._elsewhere)
        }
        return min(found, key=lambda term: abs(math.log(found[term] / wanted)))

    def adversarial_term(self) -> str:
        """Return a term without hits whose trigrams are so common that no index helps."""
        trigrams = Counter(part for text in self._sample for part in _trigrams(text))
        common = sorted(
            part
            for part, n in trigrams.items()
            if n > _COMMON * len(self._sample) and " " not in part
        )
        generator = random.Random(1)
        while True:
            term = generator.choice(common)
            while len(term) < 12 and (after := [p for p in common if p.startswith(term[-2:])]):
                term += generator.choice(after)[2]
            if len(term) >= 8 and not self.count_hits(term):
                return term


def _parts(text: str) -> set[str]:
    """Return the beginnings of words and of parts of addresses in a text, from three letters on.

    In ASCII: the peers fold nothing else.
    """
    words = {*text.split(), *re.split(r"[\s@.]+", text)}
    beginnings = {word[:end] for word in words for end in range(3, len(word) + 1)}
    # Punctuation may be an operator in the search box.
    return {term for term in beginnings if term.isascii() and term.isalnum()}


def _trigrams(text: str) -> set[str]:
    return {text[at : at + 3] for at in range(len(text) - 2)}


def _commonest(column: str) -> Any:
    counted = Order.objects.exclude(**{column: None}).values(column).annotate(n=Count("pk"))
    return counted.order_by("-n", column)[0][column]


def _key(column: str) -> str:
    """Return the key in a URL of the most frequent product, brand, sender or workspace."""
    key: str = Label.objects.get(pk=_commonest(column)).key
    return key


def _name(column: str) -> str:
    folded: str = Label.objects.get(pk=_commonest(column)).folded
    return folded


def _place(number: int) -> str:
    """Return the position of the page that begins after this number of orders, newest first."""
    place = Order.objects.order_by("-id").values_list("id", flat=True)[number - 1]
    return IndexPosition(key=PageKey(None, place), ordinal=number + 1).serialize()


def _typical() -> Order:
    """Return an order with a reference, an address, and a first name of 3 to 7 ASCII letters."""
    whole = Order.objects.exclude(Q(reference_id="") | Q(recipient_email=""))
    return next(one for one in whole.order_by("uuid") if _FIRST_NAME.match(one.recipient_name))


def _other_address(order: Order) -> str:
    """Return the address of another recipient: one address alone may redirect to its order."""
    others = Order.objects.exclude(recipient_email__in=("", order.recipient_email))
    address: str = others.order_by("uuid").values_list("recipient_email", flat=True)[0]
    return address


def _misspell(text: str) -> str:
    """Return the text with two adjacent letters in the middle of each word swapped."""
    return _WORD.sub(lambda word: _swapped(word[0]), text)


def _misspell_mailbox(address: str) -> str:
    mailbox, _, host = address.partition("@")
    return f"{_misspell(mailbox)}@{host}"


def _swapped(word: str) -> str:
    middle = len(word) // 2
    return f"{word[: middle - 1]}{word[middle]}{word[middle - 1]}{word[middle + 1 :]}"


def _newest() -> str:
    created = Order.objects.order_by("-id")[0].created_at
    assert created
    return created.isoformat()


def _elsewhere() -> str:
    names = Label.objects.values_list("folded", flat=True)
    return "\n".join([*names, *SearchText.objects.values_list("folded", flat=True)])


def _everywhere() -> str:
    """Return the word of a product's name that occurs in the most messages."""
    names = Label.objects.filter(kind=Label.Kind.PRODUCT).values_list("folded", flat=True)
    words = {word for name in names for word in name.split() if len(word) > 2 and word.isalnum()}
    text = "\n".join(SearchText.objects.values_list("folded", flat=True))
    return max(sorted(words), key=text.count)


def find_request_values() -> dict[str, str | int]:
    orders = Order.objects.count()
    texts = list(Order.objects.order_by("uuid").values_list("people", flat=True))
    people, typical = PeopleTexts(texts, texts[:_SAMPLE], _elsewhere()), _typical()
    words = {
        "nobody": _NOBODY,
        "one": people.term_with_hits(1, is_exact=True),
        "twenty": people.term_with_hits(20, is_exact=True),
        "many": people.term_with_hits(20_000),
        "most": people.term_with_hits(orders),
        "adversarial": people.adversarial_term(),
    }
    depth = min(_DEPTH, orders // 2)
    return {
        "orders": orders,
        "now": _newest(),
        **words,
        **{f"{name}_hits": people.count_hits(word) for name, word in words.items()},
        "common_words": " ".join(people.term_with_hits(orders // n) for n in (10, 4)),
        "everywhere": _everywhere(),
        "email": typical.recipient_email,
        "two_emails": f"{typical.recipient_email} {_other_address(typical)}",
        "reference": typical.reference_id,
        "name": typical.recipient_name,
        "first_name": typical.recipient_name.split()[0],
        "misspelled_name": _misspell(typical.recipient_name),
        "misspelled_last_name": _misspell(typical.recipient_name.split()[-1]),
        "misspelled_email": _misspell_mailbox(typical.recipient_email),
        "batch": str(_commonest("order_batch_id")),
        "workspace": _key("workspace_id"),
        "sender": _key("sender_id"),
        "product": _key("product_id"),
        "brand": _key("brand_id"),
        "product_name": _name("product_id"),
        "brand_name": _name("brand_id"),
        "depth": depth,
        "deep": _place(depth),
        "last": IndexPosition(is_backwards=True, ordinal=0).serialize(),
    }


if __name__ == "__main__":
    print(json.dumps(find_request_values()))
