"""Pages while Goody fails: the list, the order, and both writes.

They use the real client and real sockets. goody/tests tests each fault in the client alone,
test_page_answers.py complete but unexpected answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from integration.faults import FAULTS, Fault
from integration.pages import (
    DIALOG,
    LIST,
    RESULTS,
    WRITES,
    cancel_fields,
    is_a_list,
    no_bug_was_logged,
    outcomes,
    read,
    submit,
    the_operation,
)
from orders import goody_api
from orders.models import ApiLimits, AuditEntry, Operation, Order
from testing import faulty_server as server
from testing.domain import order_json
from testing.faulty_server import FaultyServer
from testing.vendor import Emulator

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("patient")]

each_fault = pytest.mark.parametrize("fault", FAULTS, ids=[one.number for one in FAULTS])


# --- Reading ----------------------------------------------------------------------------------


@each_fault
def test_list_shows_the_failure_instead_of_no_orders(
    fault: Fault, emulator: Emulator, as_role: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = as_role("agent")
    emulator.add_fault(fault.fault)
    fault.shorten(settings, GOODY_PAGE_DEADLINE=0.4)
    plain = client.get(LIST)
    goody_api._client.cache_clear()
    ApiLimits.objects.all().delete()
    part = client.get(LIST, headers=RESULTS)
    for answer in (plain, part):
        page = read(answer)
        assert answer.status_code == fault.status
        assert fault.read in page
        assert not is_a_list(page)
    assert "<html" in plain.content.decode()
    assert "Goody Admin" in plain.content.decode()
    assert part.headers["HX-Retarget"] == "#problem"
    assert "<html" not in part.content.decode()
    assert no_bug_was_logged(caplog)
    assert Order.objects.count() == 0
    security = [row.action for row in AuditEntry.objects.all()]
    assert set(security) == ({f"security.{fault.security}"} if fault.security else set())


@each_fault
def test_order_page_shows_the_copy_or_the_failure(
    fault: Fault, emulator: Emulator, as_role: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = as_role("agent")
    known, unknown = (str(one["id"]) for one in emulator.find_orders(limit=2, status="opened"))
    assert client.get(f"/orders/{known}/").status_code == 200
    before = Order.objects.values().get()
    emulator.add_fault(fault.fault)
    fault.shorten(settings, GOODY_PAGE_DEADLINE=0.4, GOODY_DETAIL_DEADLINE=0.2)

    without = client.get(f"/orders/{unknown}/")
    goody_api._client.cache_clear()
    copy = client.get(f"/orders/{known}/")
    dialog = client.get(f"/orders/{known}/cancel/", headers=DIALOG)

    assert without.status_code == fault.status
    assert fault.read in read(without)
    assert copy.status_code == 200
    assert "This is our copy. Nothing can be changed until Goody answers." in read(copy)
    assert "form_key" not in read(dialog)
    assert "so nothing can be sent" in read(dialog)
    assert Order.objects.values().get() == before
    assert no_bug_was_logged(caplog)
    assert emulator.posts() == 0


# --- Writing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("write", WRITES)
@each_fault
def test_write_has_the_outcome_that_the_fault_proves(  # noqa: PLR0917 - fixtures
    fault: Fault,
    write: str,
    emulator: Emulator,
    as_role: Any,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client, order_id = as_role("agent"), emulator.find_order_id(status="opened", no_expiry="false")
    path, fields = f"/orders/{order_id}/{write}/", WRITES[write](client, order_id)
    emulator.add_fault(fault.fault, method="POST")
    # Long enough for the POST to leave on a busy machine.
    fault.shorten(settings, GOODY_WRITE_DEADLINE=0.6)

    answer = submit(client, path, fields)
    again = submit(client, path, fields, DIALOG)

    assert answer.status_code == 303
    operation = the_operation()
    assert operation.state == fault.state
    assert fault.kind in ("", operation.failure_kind)
    outcome_page = read(client.get(answer.headers["Location"]))
    assert fault.write in outcome_page
    in_dialog = read(again)
    assert again.status_code == 200
    assert "<html" not in in_dialog
    if fault.state == "refused":
        assert "See the attempt" in in_dialog
        assert operation.failure_class == "B"
    else:
        assert again.headers["HX-Retarget"] == f"#order-{order_id}"
        assert operation.failure_class == "C"
        assert operation.due_at is not None
    assert outcomes() == ["", fault.state]
    assert emulator.posts() == 1
    assert no_bug_was_logged(caplog)


# --- Goody cannot be reached ------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> server.Certificates:
    return server.make_certificates(tmp_path_factory.mktemp("certificates"))


@contextmanager
def nowhere(kind: str, certificates: server.Certificates) -> Iterator[str]:
    """The URL of a Goody that cannot be reached."""
    if kind == "no such name":
        yield "https://goody.invalid"
    elif kind == "refused":
        with server.refusing_url() as url:
            yield url
    elif kind == "blackholed":
        with server.blackhole_url() as url:
            yield url
    else:
        with FaultyServer(
            server.answer(200, {}), tls=certificates.context(kind), host="localhost"
        ) as it:
            yield it.url
            assert it.requests == []


BAD_TLS = ("expired", "wrong_host", "self_signed")
KINDS = {"no such name": "dns", "refused": "connect", "blackholed": "connect"}


@pytest.mark.parametrize("kind", [*KINDS, *BAD_TLS])
def test_a_goody_that_cannot_be_reached_was_sent_nothing(  # noqa: PLR0917 - fixtures
    kind: str,
    emulator: Emulator,
    as_role: Any,
    settings: Any,
    certificates: server.Certificates,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client, order_id = as_role("agent"), emulator.find_order_id(status="opened", no_expiry="false")
    path, fields = f"/orders/{order_id}/cancel/", cancel_fields(client, order_id)
    settings.GOODY_CA_BUNDLE = str(certificates.ca)
    is_tls = kind in BAD_TLS
    if kind == "blackholed":
        settings.GOODY_CONNECT_TIMEOUT = 0.2
    with nowhere(kind, certificates) as settings.GOODY_API_URL:
        listed = [client.get(LIST, headers=headers) for headers in ({}, RESULTS)]
        copy = client.get(f"/orders/{order_id}/")
        # Otherwise the open breaker would hide the failure.
        goody_api._client.cache_clear()
        sent = submit(client, path, fields)
        again = submit(client, path, fields, DIALOG)
    for answer in listed:
        assert answer.status_code == 503
        words = "Secure connection to Goody failed" if is_tls else "Goody unreachable"
        assert words in read(answer)
        assert "Nothing was sent or changed." in read(answer)
        assert not is_a_list(read(answer))
    assert copy.status_code == 200
    assert "This is our copy. Nothing can be changed until Goody answers." in read(copy)
    for outcome_page in (read(client.get(sent.headers["Location"])), read(again)):
        why = "The secure connection to Goody failed." if is_tls else "Goody is unreachable."
        assert why in outcome_page
        assert "Nothing was sent." in outcome_page
        assert ("Tell an admin." if is_tls else "You may try again.") in outcome_page
    one = the_operation()
    assert (one.state, one.failure_class, one.failure_kind) == (
        "not_sent",
        "A",
        KINDS.get(kind, "tls"),
    )
    assert outcomes() == ["", "not_sent"]
    assert AuditEntry.objects.filter(action="security.goody_tls").exists() is is_tls
    assert emulator.posts() == 0
    assert no_bug_was_logged(caplog)


@pytest.mark.parametrize("code", [302, 307])
def test_a_redirect_is_not_followed_and_the_key_stays(
    code: int, emulator: Emulator, as_role: Any
) -> None:
    client, order_id = as_role("agent"), emulator.find_order_id(status="opened")
    fields = cancel_fields(client, order_id)
    with FaultyServer(server.answer(200, order_json())) as elsewhere:
        fault = {"kind": "redirect", "status": code, "location": elsewhere.url}
        emulator.add_fault(fault)
        client.get(LIST)
        client.get(f"/orders/{order_id}/")
        emulator.clear_faults()
        emulator.add_fault(fault, method="POST")
        submit(client, f"/orders/{order_id}/cancel/", fields)
        assert elsewhere.connections == 0
    assert the_operation().failure_kind == "redirect"
    assert Operation.objects.get().state == "unknown"
