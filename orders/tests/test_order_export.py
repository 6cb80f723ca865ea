"""/orders/export.csv: a file of exactly the listed orders, and its audit entries."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from orders import index, services
from orders.models import AuditEntry, State
from orders.presenters.csv_files import ORDER_COLUMNS, order_csv_chunks
from orders.rights import NotAllowed
from orders.search import Hit, SearchTimeout, paging
from orders.search.query import Query, Sort
from orders.services import exports
from testing.dialogs import text
from testing.domain import actor, order, store_operation
from testing.list_pages import complete_sync
from testing.rekeying import set_creation_times

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _complete(db: None) -> None:
    complete_sync(AT)


AT = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
ALL = Query()


def known(**fields: Any) -> UUID:
    given = order(**{"id": str(uuid4()), "reference_id": "", **fields})
    index.upsert_orders([given], read_at=AT)
    return given.id


def hits(query: Query = ALL, *, role: str = "lead") -> Generator[Hit]:
    now = timezone.now()
    intent = services.start_export(actor=actor(role), filters="All orders", now=now)
    return services.export_orders(intent, query, now=now)


def read(content: bytes) -> list[list[str]]:
    """Return the rows of the file, beginning with the header."""
    assert content.startswith(b"\xef\xbb\xbf")
    text = content.decode("utf-8-sig")
    assert text.endswith("\r\n")
    return list(csv.reader(text.splitlines(keepends=True)))


def exported(query: Query = ALL) -> list[list[str]]:
    return read(b"".join(order_csv_chunks(hits(query))))


def audited() -> list[tuple[str, str, str]]:
    rows = AuditEntry.objects.filter(action="order.export").order_by("id")
    return [(row.actor_name, row.outcome, row.detail) for row in rows]


def test_every_column_of_an_order() -> None:
    batch, workspace = uuid4(), uuid4()
    order_id = known(
        status="accepted",
        reference_id="ABCD1234EFGH5678IJKL9012",
        recipient_first_name="Zoë",
        recipient_last_name='O"Neill, Jr.',
        cart={
            "items": [
                {"quantity": 2, "product": {"name": "Tea", "brand": {"name": "Leaf"}}},
                {"quantity": 1, "product": {"name": "Cup"}},
            ]
        },
        sender={"first_name": "Lee", "last_name": "Okafor", "email": "lee@example.test"},
        workspace_id=str(workspace),
        workspace_name="People team",
        order_batch_id=str(batch),
        is_swapped=True,
        payment_link="https://checkout.example.test/SECRET",
        event_times={"created_at": "2026-10-01T08:00:00Z"},
    )
    assert [dict(zip(ORDER_COLUMNS, line, strict=True)) for line in exported()] == [
        dict(zip(ORDER_COLUMNS, ORDER_COLUMNS, strict=True)),
        {
            "order_id": str(order_id),
            "reference_id": "ABCD1234EFGH5678IJKL9012",
            "status": "accepted",
            "recipient_name": 'Zoë O"Neill, Jr.',
            "recipient_email": "mira@example.com",
            "product": "Tea",
            "brand": "Leaf",
            "quantity": "2",
            "items": "2",
            "amount_usd": "18.42",
            "is_before_tax": "yes",
            "sender": "Lee Okafor <lee@example.test>",
            "workspace": "People team",
            "order_batch_id": str(batch),
            "created_at": "2026-10-01T08:00:00Z",
            "expires_at": "2099-01-01T00:00:00Z",
            "is_swapped": "yes",
            "is_payment_pending": "yes",
            "has_delivery_trouble": "no",
            "read_at": "2026-11-01T10:00:00Z",
            "missing_at": "",
        },
    ]


def test_unknown_values_are_empty_cells() -> None:
    known(
        recipient_first_name=None,
        recipient_last_name=None,
        recipient_email=None,
        cart=None,
        amounts=None,
        expires_at=None,
    )
    line = dict(zip(ORDER_COLUMNS, exported()[1], strict=True))
    said = {"order_id", "status", "items", "is_before_tax", "read_at"}
    flags = {"is_swapped", "is_payment_pending", "has_delivery_trouble"}
    assert {name for name, value in line.items() if value} == said | flags


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_is_a_formula(first: str) -> None:
    hostile = f'{first}HYPERLINK("https://evil.example.test",A1)'
    known()
    names = ("recipient_name", "recipient_email", "product", "sender", "status")
    hit = next(hits())._replace(**dict.fromkeys(names, hostile))
    cells = [cell for line in read(b"".join(order_csv_chunks(_given(hit)))) for cell in line]
    assert cells.count(f"'{hostile}") == 5
    assert not [cell for cell in cells if cell.startswith(first)]


def _given(*some: Hit) -> Generator[Hit]:
    yield from some


def test_export_has_the_order_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "CHUNK", 2)
    names = ["Cy", "Ada", "Bo", "Dee", "Eve"]
    ids = {name: str(known(recipient_first_name=name)) for name in names}
    known(status="paid")
    lines = exported(Query(statuses=("notified",), sort=Sort.RECIPIENT))
    assert [line[0] for line in lines[1:]] == [ids[name] for name in sorted(names)]


def test_export_streams_orders_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is produced page by page; no page is read before the client needs it."""
    monkeypatch.setattr(exports, "CHUNK", 2)
    monkeypatch.setattr("orders.presenters.csv_files.ROWS_PER_CHUNK", 2)
    for _ in range(5):
        known()
    parts = order_csv_chunks(hits())
    assert next(parts).count(b"\r\n") == 1 + 2
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM orders_order")
    assert next(parts).count(b"\r\n") == 0
    assert list(parts) == []


@pytest.mark.django_db(transaction=True)
def test_order_with_a_changed_key_is_exported_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exact creation times become known for orders before and after the current page."""
    monkeypatch.setattr(exports, "CHUNK", 2)
    ids = [known() for _ in range(6)]
    orders = hits()
    taken = [next(orders).uuid, next(orders).uuid]
    set_creation_times(taken, to=AT - timedelta(days=300))
    set_creation_times([one for one in ids if one not in taken], to=AT + timedelta(days=1))
    taken += [hit.uuid for hit in orders]
    assert taken == ids[::-1]
    # The connection is usable again.
    known()


def test_incomplete_import_is_noted_in_the_last_line() -> None:
    known()
    complete_sync(AT, finished_at=None)
    lines = exported()
    reason = "not all of Goody's orders had been imported yet"
    assert (len(lines), lines[2]) == (3, [f"INCOMPLETE: {reason}. More orders may belong here."])
    assert audited()[1] == ("Lead", "incomplete", f"1 order; {reason}")


# --- the audit ----------------------------------------------------------------------------------


def test_a_download_is_audited_with_its_size() -> None:
    for _ in range(3):
        known()
    exported()
    assert audited() == [
        ("Lead", "", "All orders"),
        ("Lead", "complete", "3 orders"),
    ]
    first, end = AuditEntry.objects.filter(action="order.export").order_by("id")
    assert end.intent == first


def test_an_empty_list_is_an_empty_file() -> None:
    assert exported() == [list(ORDER_COLUMNS)]
    assert audited()[1] == ("Lead", "complete", "0 orders")


@pytest.mark.parametrize("role", ["viewer", "agent"])
def test_export_requires_the_right(role: str) -> None:
    with pytest.raises(NotAllowed, match="Your role may not download lists"):
        hits(role=role)
    assert audited() == []


def test_disconnect_during_a_download_is_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.presenters.csv_files.ROWS_PER_CHUNK", 1)
    for _ in range(3):
        known()
    parts = order_csv_chunks(hits())
    next(parts)
    parts.close()
    assert audited()[1] == (
        "Lead",
        "incomplete",
        "1 order; the download was aborted",
    )


def test_a_failure_of_the_dashboard_is_not_audited_as_a_disconnect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known()
    monkeypatch.setattr(exports, "CHUNK", None)
    with pytest.raises(TypeError):
        list(hits())
    assert audited()[1] == ("Lead", "incomplete", "0 orders; an error of the dashboard")


def _lose_the_table(_: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_order RENAME TO elsewhere")


def _be_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "SEARCH_SECONDS", -1)


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (_lose_the_table, "the dashboard's own database did not answer"),
        (_be_slow, "the search took too long"),
    ],
)
def test_incomplete_file_says_so_in_its_last_line(
    monkeypatch: pytest.MonkeyPatch, happens: Callable[[pytest.MonkeyPatch], None], reason: str
) -> None:
    monkeypatch.setattr(exports, "CHUNK", 2)
    for _ in range(5):
        known()
    orders = hits()
    first = next(orders)
    happens(monkeypatch)
    lines = read(b"".join(order_csv_chunks(orders)))
    # The second order of the first page, then the line about the interruption.
    assert len(lines) == 3
    assert lines[1][0] != str(first.uuid)
    assert lines[2] == [f"INCOMPLETE: {reason}. More orders may belong here."]
    assert audited()[1] == ("Lead", "incomplete", f"2 orders; {reason}")


@pytest.mark.postgresql_only(reason="SQLite has no connection that could be cut")
@pytest.mark.django_db(transaction=True)
def test_a_broken_connection_is_reported_in_the_file_and_in_the_audit(
    monkeypatch: pytest.MonkeyPatch, database_kind: str
) -> None:
    monkeypatch.setattr(exports, "CHUNK", 2)
    for _ in range(3):
        known()
    orders = hits()
    next(orders)
    pid = connection.connection.info.backend_pid
    with psycopg.connect(**_where(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    lines = read(b"".join(order_csv_chunks(orders)))
    assert lines[-1][0].startswith("INCOMPLETE: the dashboard's own database did not answer")
    assert audited()[1][1] == "incomplete"


def _where() -> dict[str, Any]:
    settings = connection.settings_dict
    return {
        "host": settings["HOST"],
        "port": settings["PORT"],
        "user": settings["USER"],
        "dbname": settings["NAME"],
    }


def test_failure_before_the_first_row_is_an_error_page(monkeypatch: pytest.MonkeyPatch) -> None:
    known()
    _be_slow(monkeypatch)
    with pytest.raises(SearchTimeout):
        next(hits())
    monkeypatch.undo()
    _lose_the_table(monkeypatch)
    with pytest.raises(DatabaseError):
        next(hits())
    assert [outcome for _, outcome, _ in audited()] == ["", "incomplete", "", "incomplete"]


def test_an_order_that_we_canceled_is_exported_as_the_list_shows_it(as_role: Any) -> None:
    ids = [known() for _ in range(2)]
    store_operation(order_uuid=ids[0], state=State.APPLIED, after={"status": "failed"})
    lines = exported()
    assert {line[0]: line[2] for line in lines[1:]} == {
        str(ids[0]): "failed",
        str(ids[1]): "notified",
    }
    page = text(as_role("lead").get("/orders/"))
    row = re.search(rf'<tr id="order-{ids[0]}".*?</tr>', page, re.DOTALL)
    assert row is not None
    assert "Canceled" in row[0]


# --- the page -----------------------------------------------------------------------------------

EXPORT = "/orders/export.csv"


def get(client: Any, **parameters: Any) -> Any:
    return client.get(EXPORT, parameters)


def test_the_file_is_what_the_list_lists(as_role: Any) -> None:
    client = as_role("lead")
    for name, status in (("Ada", "paid"), ("Bo", "opened"), ("Cy", "opened"), ("Dee", "opened")):
        known(recipient_first_name=name, recipient_last_name="", status=status)
    asked = {"status": "opened", "sort": "-recipient", "q": "mira"}
    answer = get(client, **asked, position="", per_page="25")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(
        r'attachment; filename="orders-\d{4}-\d\d-\d\d\.csv"', answer["Content-Disposition"]
    )
    assert "no-store" in answer["Cache-Control"]
    listed = re.findall(r'<tr id="order-([^"]+)"', text(client.get("/orders/", asked)))
    lines = read(answer.getvalue())
    assert [line[0] for line in lines[1:]] == listed
    assert [line[3] for line in lines[1:]] == ["Dee", "Cy", "Bo"]
    assert audited() == [
        ("Lead", "", "“mira”; Status: opened"),
        ("Lead", "complete", "3 orders"),
    ]


def test_the_list_offers_the_file_to_roles_with_the_right(as_role: Any) -> None:
    known()
    link = f'href="{EXPORT}?q=mira" download aria-label="Download CSV">'
    pages = {
        role: text(as_role(role).get("/orders/", {"q": "mira"}))
        for role in ("viewer", "agent", "lead", "admin")
    }
    assert {role for role, page in pages.items() if link in page} == {"lead", "admin"}
    assert all(('="order-' in page) for page in pages.values())


def test_the_audit_page_shows_the_list_and_the_outcome_of_a_download(as_role: Any) -> None:
    known()
    client = as_role("lead")
    get(client, q="mira").getvalue()
    page = text(client.get("/audit/"))
    assert page.count('scope="row">Download a list</th>') == 1
    outcome = '<td class="audit__outcome">“mira”<span class="cell__sub">1 order</span></td>'
    assert outcome in page


def test_invalid_parameters_redirect_to_the_list(as_role: Any) -> None:
    answer = get(as_role("lead"), created_after="soon")
    assert (answer.status_code, answer["Location"]) == (303, "/orders/?created_after=soon")
    assert audited() == []


def test_search_timeout_is_a_page_and_not_a_file(
    as_role: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known()
    _be_slow(monkeypatch)
    answer = get(as_role("lead"))
    assert answer.status_code == 503
    assert "Too broad: add a date or a status" in text(answer)


def test_other_methods_are_refused(as_role: Any) -> None:
    client = as_role("lead")
    assert [client.head(EXPORT).status_code, client.post(EXPORT).status_code] == [405, 405]
    assert audited() == []
