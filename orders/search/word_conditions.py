"""Compiles the words of a search into conditions on every field that the person may see.

A word matches any part of the recipient's name and address, of the names of products, brands,
sender and workspace, and of the notes and tickets of our writes. For people who may read messages
it also matches message and note. From six characters on it also matches the start of the receipt
reference, of the order's id and of the ids of its batch and card. One or two letters or digits
match only the start of a word in names of people and labels. A word such as "$44.10" also matches
the amount. No index supports one or two characters that include a sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

from orders.text import MAX_WORD_START_LENGTH, folded_words, is_word_start

from .context import MAX_SCANS, SearchResources
from .sql import Condition, IndexScan, SqlFragment, all_of, union_condition
from .terms import is_dollar_amount, parse_amount

# The shortest word that is compared with the beginning of references and ids.
_MIN_PREFIX = 6
_LAST_CHARACTER = chr(0x10FFFF)
_MAX_TEXTS = 1000
# A part of a word with fewer hits than this is rare.
_FEW_HITS = 200
# A text index looks up this many characters of a longer text; the rest is compared.
_MAX_LOOKED_UP = 40

_REFERENCE = re.compile(r"[a-z0-9]+")
_ID = "00000000-0000-0000-0000-000000000000"


def word_condition(
    context: SearchResources, word: str, *, may_search_messages: bool
) -> Condition | None:
    """Return the condition that the folded word or phrase is in a field.

    Return None if no field can contain it.
    """
    # The first is the one with the most matches: see QueryExecutor.count.
    fields: list[Condition] = []
    if is_word_start(word):
        fields += _word_start(context, word)
    elif len(word) <= MAX_WORD_START_LENGTH:
        fields.append(Condition(context.dialect.text_contains("o.people", word)))
    else:
        fields += [_people(context, word), *_prefixes(context, word)]
        fields += filter(None, [_operations(context, word)])
        if may_search_messages:
            fields += _texts(context, word)
    if is_dollar_amount(word) and (amounts := parse_amount(word)):
        fields.append(context.amount_in_range(amounts))
    fields += _names(context, word)
    return union_condition(fields) if fields else None


def _people(context: SearchResources, word: str) -> Condition:
    scan = context.dialect.full_text_scan("orders_order", "people", word, _part(context, word))
    return Condition(context.dialect.text_contains("o.people", word), (scan,), text=word)


def _part(context: SearchResources, word: str) -> str:
    """Return the part of the word to look up in the text index; the whole word is compared later.

    FTS5 reads the entries of every trigram, so a long word of common trigrams is slow even where a
    few of them are rare. GIN selects the rare ones by itself.
    """
    size = context.dialect.MAX_LOOKED_UP_LETTERS
    if len(word) > size + 1:
        for start in (len(word) - size, *range(0, len(word) - size, size)):
            part = word[start : start + size]
            scan = context.dialect.full_text_scan("orders_order", "people", part, part)
            if context.statistics.count_entries(scan, _FEW_HITS) < _FEW_HITS:
                return part
    return word[:_MAX_LOOKED_UP]


def _names(context: SearchResources, word: str) -> Iterator[Condition]:
    labels = context.labels
    if ids := labels.products.ids_matching(word):
        yield context.cart_contains("product", ids)
    if ids := labels.brands.ids_matching(word):
        yield context.cart_contains("brand", ids)
    if ids := labels.senders.ids_matching(word):
        yield context.column_equals("sender_id", ids, index="orders_order_sender")
    if ids := labels.workspaces.ids_matching(word):
        yield context.column_equals("workspace_id", ids, index="orders_order_workspace")


def _prefixes(context: SearchResources, word: str) -> Iterator[Condition]:
    if len(word) < _MIN_PREFIX:
        return
    if _REFERENCE.fullmatch(word):
        low = word.upper()
        high = low + _LAST_CHARACTER
        yield context.column_between("reference_id", low, high, index="orders_order_reference")
    if ends := id_prefix_range(word):
        yield context.column_between("order_batch_id", *ends, index="orders_order_batch")
        yield context.column_between("uuid", *ends, index="")
        yield from _cards(context, *ends, word)


def _cards(context: SearchResources, first: UUID, last: UUID, word: str) -> Iterator[Condition]:
    """Yield the condition on the ids of cards from `first` to `last`, which begin with the word."""
    labels = context.labels
    found = labels.cards.ids_containing(str(first)[: len(word)])
    ids = [pk for pk in found if first <= UUID(labels.names[pk]) <= last]
    if ids:
        yield context.column_equals("card_id", ids, index="orders_order_card")


def _operations(context: SearchResources, word: str) -> Condition | None:
    """Return the condition on notes and tickets of the writes on an order."""
    scan = context.dialect.full_text_scan(
        "orders_operationtext", "folded", word, word[:_MAX_LOOKED_UP]
    )
    among = f"t.id IN (SELECT {scan.key} FROM {scan.table} WHERE {scan.where.text})"  # noqa: S608
    return _of_operations(context, SqlFragment(among, scan.where.params), word)


def ticket_condition(context: SearchResources, text: str) -> Condition | None:
    """Return the condition that a ticket of a write contains the folded text; None if none does."""
    contains = context.dialect.text_contains("t.folded", text)
    test = SqlFragment(f"t.kind = 'ticket' AND {contains.text}", contains.params)
    return _of_operations(context, test, "")


def _of_operations(context: SearchResources, test: SqlFragment, text: str) -> Condition | None:
    """Return the condition that a note or ticket of a write on the order passes the test.

    If many texts pass it, the condition tests the texts of each order instead of listing orders.
    """
    rows = context.deadline.fetch_rows(
        f"SELECT DISTINCT t.order_uuid FROM orders_operationtext t WHERE {test.text}"  # noqa: S608
        f" LIMIT {_MAX_TEXTS + 1}",
        test.params,
    )
    if len(rows) > _MAX_TEXTS:
        exists = "EXISTS (SELECT 1 FROM orders_operationtext t WHERE t.order_uuid = o.uuid AND {})"
        return Condition(SqlFragment(exists.format(test.text), test.params), text=text)
    ids = [order_id for (order_id,) in rows]
    return context.column_equals("uuid", ids, index="") if ids else None


def _word_start(context: SearchResources, word: str) -> list[Condition]:
    """Return the conditions for one or two letters at the start of a word.

    Two letters of different scripts are two separate starts.
    """
    starts = [_start(context, start) for start in folded_words(word)]
    if None in starts:
        return []
    conditions = list(filter(None, starts))
    test = all_of(one.test for one in conditions)
    # A scan of one start returns more than the orders that have both.
    scans = conditions[0].scans if len(conditions) == 1 else ()
    return [Condition(test, scans, text=word)]


def _start(context: SearchResources, start: str) -> Condition | None:
    starts = [start] if len(start) == MAX_WORD_START_LENGTH else _starts_with(context, start)
    if not starts:
        return None
    among = context.dialect.value_in("s.start", starts)
    test = SqlFragment(
        "EXISTS (SELECT 1 FROM orders_wordstart s"  # noqa: S608
        f" WHERE s.order_id = o.id AND {among.text})",
        among.params,
    )
    scans = tuple(
        IndexScan(
            SqlFragment("start = %s", (one,)),
            "orders_wordstart",
            "order_id",
            (("id", ""),),
            is_indexed_by_id=False,
        )
        for one in starts
    )
    return Condition(test, scans if len(scans) <= 2 * MAX_SCANS else ())


def _starts_with(context: SearchResources, letter: str) -> list[str]:
    """Return the stored two-letter word starts that begin with the letter.

    Each of them is one seek in the index.
    """
    rows = context.deadline.fetch_rows(_STARTS, [letter, letter + _LAST_CHARACTER] * 2)
    return [start for (start,) in rows]


def _texts(context: SearchResources, word: str) -> Iterator[Condition]:
    """Yield conditions on message and thank-you note.

    If many texts contain the word, the condition tests the texts of each order.
    """
    scan = context.dialect.full_text_scan(
        "orders_searchtext", "folded", word, word[:_MAX_LOOKED_UP]
    )
    rows = context.deadline.fetch_rows(
        f"SELECT {scan.key} FROM {scan.table} WHERE {scan.where.text}"  # noqa: S608
        f" LIMIT {_MAX_TEXTS + 1}",
        scan.where.params,
    )
    ids = [pk for (pk,) in rows]
    if len(ids) > _MAX_TEXTS:
        contains = context.dialect.text_contains("t.folded", word)
        yield Condition(
            SqlFragment(
                "EXISTS (SELECT 1 FROM orders_searchtext t"  # noqa: S608
                f" WHERE t.id IN (o.message_id, o.note_id) AND {contains.text})",
                contains.params,
            )
        )
    elif ids:
        yield context.column_equals("message_id", ids, index="orders_order_message")
        yield context.column_equals("note_id", ids, index="orders_order_note")


_STARTS = """
WITH RECURSIVE used (start) AS (
    SELECT min(start) FROM orders_wordstart WHERE start >= %s AND start < %s
    UNION ALL
    SELECT (SELECT min(s.start) FROM orders_wordstart s
            WHERE s.start > used.start AND s.start >= %s AND s.start < %s)
    FROM used WHERE used.start IS NOT NULL
)
SELECT start FROM used WHERE start IS NOT NULL
"""


def id_prefix_range(text: str) -> tuple[UUID, UUID] | None:
    """Return the first and the last id with this prefix, written with or without dashes.

    Return None if the text is not a prefix of an id.
    """
    if not text or len(text) > len(_ID):
        return None
    digits = text.replace("-", "")
    has_dashes = "-" in text
    if has_dashes and [i for i, c in enumerate(text) if c == "-"] != [
        i for i, c in enumerate(_ID[: len(text)]) if c == "-"
    ]:
        return None
    if len(digits) > 32 or not re.fullmatch(r"[0-9a-f]*", digits):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
