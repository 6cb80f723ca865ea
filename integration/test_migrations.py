"""Migrations with rows in the tables, forwards and back, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from orders.compression import compress_json
from orders.models import (
    ApiLimits,
    AuditEntry,
    Label,
    LabelVersion,
    Operation,
    OperationText,
    Order,
    SearchText,
    Spelling,
    SpellingTrigram,
    SyncState,
    SyncWindow,
)
from orders.text import FOLDING_VERSION
from testing.users import make_user


def migrate(name: str) -> None:
    call_command("migrate", "orders", name, interactive=False, verbosity=0)


def execute(statement: str, *values: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def at_0007(database_url: str) -> Iterator[None]:
    migrate("0007")
    yield
    migrate("zero")


def found_text(table: str, part: str) -> list[tuple[object, ...]]:
    """Return the ids of texts that contain the part, by the full-text index."""
    if connection.vendor == "sqlite":
        return execute(f"SELECT rowid FROM {table}_fts WHERE {table}_fts MATCH %s", f'"{part}"')
    return execute(f"SELECT id FROM {table} WHERE folded LIKE %s", f"%{part}%")


def indexes() -> set[object]:
    rows = execute("SELECT indexname FROM pg_indexes WHERE indexname LIKE '%%_trgm'")
    return {name for (name,) in rows}


@pytest.mark.usefixtures("at_0007")
def test_the_renamed_tables_keep_their_rows_and_their_full_text_index():
    execute("INSERT INTO orders_wording (id, hash, folded) VALUES (7, 'h', 'welcome aboard')")
    execute(
        "INSERT INTO orders_vendorgate (id, rejected_key, rejected_at) VALUES (1, 'abc', %s)",
        datetime(2026, 1, 2, tzinfo=UTC),
    )
    migrate("0008")
    assert SearchText.objects.get(pk=7).folded == "welcome aboard"
    assert ApiLimits.objects.values_list("rejected_key", flat=True).get(pk=1) == "abc"
    SearchText.objects.create(pk=8, hash="i", folded="welcome back")
    SearchText.objects.filter(pk=7).update(folded="farewell")
    assert found_text("orders_searchtext", "welcome") == [(8,)]
    assert found_text("orders_searchtext", "farewell") == [(7,)]
    if connection.vendor == "postgresql":
        assert indexes() == {"orders_order_trgm", "orders_searchtext_trgm"}
    migrate("0007")
    assert found_text("orders_wording", "welcome") == [(8,)]


@pytest.fixture
def at_0008(database_url: str) -> Iterator[None]:
    migrate("0008")
    yield
    migrate("zero")


@pytest.mark.usefixtures("at_0008")
def test_existing_index_is_folded_again():
    execute(
        "INSERT INTO orders_syncstate (id, token, imported, known_before, is_full_wanted,"
        " suspicion, is_suspicion_accepted, is_feed_missing, drift_new, drift_changed,"
        " drift_missing, problem) VALUES (1, 0, 0, 0, false, '', false, false, 0, 0, 0, '')"
    )
    migrate("0009")
    [(version,)] = execute("SELECT folding_version FROM orders_syncstate")
    assert version != FOLDING_VERSION
    assert SyncState().folding_version == FOLDING_VERSION
    migrate("0008")


@pytest.fixture
def at_0009(database_url: str) -> Iterator[None]:
    migrate("0009")
    yield
    migrate("zero")


@pytest.mark.usefixtures("at_0009")
def test_the_renamed_ticket_keeps_its_values_and_the_audit_its_triggers():
    execute(
        "INSERT INTO orders_auditentry (at, actor_name, action, reference_id, reason, note,"
        " ticket_url, outcome, detail, request_id) VALUES (%s, '', 'order.cancel', '', '', '',"
        " 'https://tickets.test/7', '', '', '')",
        datetime(2026, 1, 2, tzinfo=UTC),
    )
    migrate("0010")
    assert AuditEntry.objects.values_list("ticket", flat=True).get() == "https://tickets.test/7"
    for statement in (
        "UPDATE orders_auditentry SET ticket = ''",
        "DELETE FROM orders_auditentry",
    ):
        with pytest.raises(DatabaseError, match="the audit is append-only"):
            execute(statement)
    migrate("0009")
    assert execute("SELECT ticket_url FROM orders_auditentry") == [("https://tickets.test/7",)]


@pytest.fixture
def at_0013(database_url: str) -> Iterator[None]:
    migrate("0013")
    yield
    migrate("zero")


SENT, RESENT, CLOSED = (datetime(2026, 1, 2, 12, minute, tzinfo=UTC) for minute in (0, 1, 5))


def insert_operation(user_id: int, **values: object) -> UUID:
    """A row as the code before the migration stored it, without the columns that are None."""
    operation_id = uuid4()
    columns: dict[str, object] = {
        "id": database_value(operation_id),
        "order_uuid": database_value(uuid4()),
        "form_key": database_value(uuid4()),
        "reference_id": "",
        "action": "order.extend",
        "actor_id": user_id,
        "actor_name": "Ana",
        "params_hash": "",
        "reason": "",
        "note": "",
        "ticket": "",
        "failure_class": "",
        "failure_kind": "",
        "detail": "",
        "created_at": SENT,
        "sent_at": SENT,
        "lease_until": SENT,
        "reads": 0,
        "unchanged_reads": 0,
        **values,
    }
    columns = {name: value for name, value in columns.items() if value is not None}
    marks = ", ".join(["%s"] * len(columns))
    execute(
        f"INSERT INTO orders_operation ({', '.join(columns)}) VALUES ({marks})", *columns.values()
    )
    return operation_id


def database_value(value: UUID) -> object:
    return value.hex if connection.vendor == "sqlite" else value


@pytest.mark.usefixtures("at_0013")
def test_confirmations_get_a_time():
    user_id = make_user("agent").pk
    confirmed = insert_operation(user_id, state="applied", closed_at=CLOSED)
    by_read = insert_operation(user_id, state="applied", closed_at=CLOSED, unknown_at=SENT)
    by_hand = insert_operation(
        user_id, state="applied", closed_at=CLOSED, unknown_at=SENT, failure_kind="by_hand"
    )
    unknown = insert_operation(user_id, state="unknown", unknown_at=SENT, resent_at=RESENT)
    migrate("0014")
    found = Operation.objects.only("confirmed_at", "effect_seen_at", "sent_at").in_bulk()
    dates = {key: (one.confirmed_at, one.effect_seen_at) for key, one in found.items()}
    assert dates == {
        confirmed: (CLOSED, None),
        by_read: (None, CLOSED),
        by_hand: (None, None),
        unknown: (None, None),
    }
    assert (found[unknown].sent_at, found[by_read].sent_at) == (RESENT, SENT)
    migrate("0013")
    assert execute("SELECT count(*) FROM orders_operation WHERE resent_at IS NULL") == [(4,)]


@pytest.fixture
def at_0014(database_url: str) -> Iterator[None]:
    migrate("0014")
    yield
    migrate("zero")


@pytest.mark.usefixtures("at_0014")
def test_the_backfill_and_the_splits_of_windows_keep_their_values():
    execute(
        "INSERT INTO orders_syncwindow (before, total, extra, cut_from, dated_at)"
        " VALUES (%s, 7, 0, 40, %s)",
        SENT,
        CLOSED,
    )
    migrate("0015")
    window = SyncWindow.objects.get()
    assert (window.before, window.split_from, window.backfilled_at) == (SENT, 40, CLOSED)
    migrate("0014")
    assert execute("SELECT total, cut_from FROM orders_syncwindow") == [(7, 40)]


@pytest.fixture
def at_0015(database_url: str) -> Iterator[None]:
    migrate("0015")
    yield
    migrate("zero")


def insert_order(number: int, raw: bytes) -> None:
    """A row of the index with its payload, as the code before the migration stored it."""
    columns = {
        "id": number,
        "uuid": database_value(UUID(int=number)),
        "status": "notified",
        **dict.fromkeys(("reference_id", "gift_digest", "recipient_name", "recipient_email"), ""),
        **dict.fromkeys(("email_key", "people", "row_hash", "content_hash"), ""),
        **dict.fromkeys(("is_expiry_odd", "is_before_tax", "is_swapped"), False),
        **dict.fromkeys(("is_payment_pending", "has_delivery_trouble"), False),
        "created_from": 0,
        "item_count": 0,
        "read_at": datetime(2026, 1, 2, tzinfo=UTC),
    }
    marks = ", ".join(["%s"] * len(columns))
    names = ", ".join(columns)
    execute(f"INSERT INTO orders_order ({names}) VALUES ({marks})", *columns.values())
    execute(
        "INSERT INTO orders_orderpayload (id, packed) VALUES (%s, %s)", number, compress_json(raw)
    )


@pytest.mark.usefixtures("at_0015")
def test_stored_orders_with_unreadable_values_are_marked():
    for number, fields in enumerate((b"", b', "amounts": "44"', b', "expires_at": "soon"'), 1):
        order_id = str(UUID(int=number)).encode()
        insert_order(number, b'{"id": "%s", "status": "notified"%s}' % (order_id, fields))
    insert_order(4, b"{}")
    triggers = _triggers()
    migrate("0016")
    assert list(Order.objects.order_by("id").values_list("is_odd", "is_amount_odd")) == [
        (False, False),
        (True, True),
        (True, False),
        (True, False),
    ]
    assert _triggers() == triggers
    migrate("0015")
    assert _triggers() == triggers


@pytest.fixture
def at_0017(database_url: str) -> Iterator[None]:
    migrate("0017")
    yield
    migrate("zero")


@pytest.mark.usefixtures("at_0017")
def test_sent_writes_may_take_effect_and_recorded_outcomes_are_read():
    insert = partial(insert_operation, make_user("agent").pk, unchanged_reads=None)
    just_now = {"sent_at": timezone.now()}
    unknown = insert(state="unknown", **just_now)
    by_read = insert(state="applied", effect_seen_at=CLOSED, **just_now)
    confirmed = insert(state="applied", confirmed_at=CLOSED, **just_now)
    refused = insert(state="refused", **just_now)
    former = insert(state="superseded")
    by_hand = insert(state="applied", failure_kind="by_hand", closed_at=CLOSED)
    migrate("0021")
    found = Operation.objects.only("may_take_effect", "due_at").in_bulk()
    assert {key for key, one in found.items() if one.may_take_effect} == {unknown, by_read}
    assert {key for key, one in found.items() if one.due_at is not None} == {by_hand}
    assert {confirmed, refused, former} < set(found)
    migrate("0017")
    assert execute("SELECT count(*) FROM orders_operation") == [(6,)]


def _triggers() -> set[object]:
    """SQLite's triggers that keep the full-text index, which a copy of the table would drop."""
    if connection.vendor != "sqlite":
        return set()
    return {name for (name,) in execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}


@pytest.mark.usefixtures("at_0015")
def test_migration_fills_the_new_search_columns():
    card = "ca4d0000-0000-4000-8000-000000000001"
    cards = (card, card.upper(), None, "none of ours", "a\0b", [card], 7)
    for number, given in enumerate(cards, 1):
        stored = {"id": str(UUID(int=number)), "status": "notified", "card_id": given}
        insert_order(number, json.dumps(stored).encode())
    insert_order(len(cards) + 1, b"[]")
    insert_order(len(cards) + 2, b"{}")
    execute("UPDATE orders_orderpayload SET packed = %s WHERE id = %s", b"", len(cards) + 2)
    execute("UPDATE orders_order SET people = 'emma novak emma12@post.test' WHERE id = 1")
    insert = partial(insert_operation, make_user("agent").pk, unchanged_reads=None)
    execute("INSERT INTO orders_labelversion (id, token) VALUES (1, 'former')")
    insert(state="applied", ticket="ZD-4711", note="Named by José")
    triggers = _triggers()
    migrate("0024")
    words = sorted(Spelling.objects.values_list("word", flat=True))
    assert words == ["emma", "novak", "post", "test"]
    assert SpellingTrigram.objects.filter(trigram="nov").get().word == "novak"
    texts = OperationText.objects.order_by("id").values_list("kind", "folded")
    assert list(texts) == [("note", "named by jose"), ("ticket", "zd-4711")]
    assert len(found_text("orders_operationtext", "4711")) == 1
    # Searches read the labels anew.
    assert LabelVersion.objects.get().token not in ("", "former")
    labels = dict(Label.objects.filter(kind="card").values_list("pk", "key"))
    assert list(labels.values()) == [card]
    found = Order.objects.order_by("id").values_list("card_id", flat=True)
    assert list(found) == [*labels, *labels, *[None] * len(cards)]
    assert triggers <= _triggers()
    migrate("0015")
    assert _triggers() == triggers
