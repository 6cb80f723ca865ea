"""Stores names and texts that orders share, and the words of people's names and addresses."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from itertools import batched
from typing import Any
from uuid import uuid4

from django.db import connections

from orders.models import Label, LabelVersion, SearchText
from orders.models.statements import placeholders, select_tuples
from orders.text import hex_digest, letter_runs, searchable_text, trigrams

from .columns import LabelName
from .statements import VALUES_AT_ONCE, BulkInsert

type LabelKey = tuple[str, str]


def label_ids(names: Iterable[LabelName], *, using: str) -> dict[LabelKey, int]:
    """Insert new labels, update changed names, and return the row ids of labels by (kind, key)."""
    wanted = {name.id: name.name for name in names}
    known = _known_labels(wanted, using=using)
    fresh = {key: name for key, name in wanted.items() if key not in known}
    if fresh:
        labels = [
            Label(kind=kind, key=key, name=name, folded=searchable_text(name))
            for (kind, key), name in fresh.items()
        ]
        Label.objects.using(using).bulk_create(labels, ignore_conflicts=True)
        known |= _known_labels(wanted, using=using)
    if changed := fresh | _rename(wanted, known, using=using):
        senders = (name for (kind, _), name in changed.items() if kind == Label.Kind.SENDER)
        store_spellings(map(searchable_text, senders), using=using)
        renew_label_version(using=using)
    return {key: pk for key, (pk, _) in known.items()}


def renew_label_version(*, using: str) -> None:
    """Invalidate the copies of the labels that processes keep."""
    version = {"token": uuid4().hex}
    LabelVersion.objects.using(using).update_or_create(pk=1, defaults=version)


def _known_labels(wanted: Iterable[LabelKey], *, using: str) -> dict[LabelKey, tuple[int, str]]:
    columns = "id", "kind", "key", "name"
    rows = _select_known(columns, "orders_label", {key for _, key in wanted}, by="key", using=using)
    return {(kind, key): (pk, name) for pk, kind, key, name in rows}


def _rename(
    wanted: dict[LabelKey, str], known: dict[LabelKey, tuple[int, str]], *, using: str
) -> dict[LabelKey, str]:
    """Update changed names, and return them."""
    renamed = {key: name for key, name in wanted.items() if name and name != known[key][1]}
    for key, name in renamed.items():
        label = Label.objects.using(using).filter(pk=known[key][0])
        label.update(name=name, folded=searchable_text(name))
    return renamed


def store_search_texts(texts: Iterable[str], *, using: str) -> dict[str, int]:
    """Return the row id of each folded text."""
    wanted = {hex_digest(text.encode()): text for text in texts if text}
    known = _known_search_texts(wanted, using=using)
    fresh = [SearchText(hash=key, folded=text) for key, text in wanted.items() if key not in known]
    if fresh:
        SearchText.objects.using(using).bulk_create(fresh, ignore_conflicts=True)
        known |= _known_search_texts((one.hash for one in fresh), using=using)
    return {text: known[key] for key, text in wanted.items()}


def _known_search_texts(hashes: Iterable[str], *, using: str) -> dict[str, int]:
    return dict(_select_known(("hash", "id"), "orders_searchtext", hashes, by="hash", using=using))


def _select_known(
    columns: Sequence[str], table: str, keys: Iterable[str], *, by: str, using: str
) -> Iterator[tuple[Any, ...]]:
    """Yield the columns of the rows that have one of these keys."""
    for some in itertools.batched(keys, VALUES_AT_ONCE):
        source = f"{table} WHERE {by} IN ({placeholders(some)})"
        yield from select_tuples(columns, source, some, using=using)


_WORDS = BulkInsert("INSERT INTO orders_spelling (word)", "(%s)", "ON CONFLICT DO NOTHING")
_TRIGRAMS = BulkInsert(
    "INSERT INTO orders_spellingtrigram (trigram, word)", "(%s, %s)", "ON CONFLICT DO NOTHING"
)


def store_spellings(people: Iterable[str], *, using: str) -> None:
    """Store the new words of these folded names and addresses. Two writers may store the same."""
    words = {word for text in people for word in letter_runs(text)}
    with connections[using].cursor() as cursor:
        fresh = sorted(words.difference(_known(cursor, words)))
        if fresh:
            _WORDS.run(cursor, [(word,) for word in fresh])
            _TRIGRAMS.run(cursor, [(one, word) for word in fresh for one in sorted(trigrams(word))])


def _known(cursor: Any, words: Iterable[str]) -> Iterator[str]:
    for some in batched(words, VALUES_AT_ONCE):
        sql = f"SELECT word FROM orders_spelling WHERE word IN ({placeholders(some)})"  # noqa: S608
        cursor.execute(sql, some)
        yield from (word for (word,) in cursor.fetchall())
