"""/orders/find/: a list of the orders that a pasted text names, and the names not found."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders import index, services
from orders.management.commands import work
from orders.models import Finding, Order
from orders.presenters.list_page import finding_summary
from orders.search.paste import MAX_CHARACTERS, PastedIdentifiers
from orders.services import FindingNotFound, findings
from testing.dialogs import text
from testing.domain import actor, open_order, order
from testing.list_pages import complete_sync, ids_in
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db

FIND = "/orders/find/"


def known(**fields: Any) -> UUID:
    """Return an order that is in the index, and not at Goody."""
    given = order(**{"id": str(uuid4()), "reference_id": "", **fields})
    index.upsert_orders([given], read_at=timezone.now())
    return given.id


@pytest.fixture(autouse=True)
def _complete(db: None) -> None:
    complete_sync(timezone.now())


def post(client: Client, pasted: str) -> Any:
    return client.post(FIND, {"text": pasted})


def found(client: Client, pasted: str) -> Finding:
    """Return the finding that a POST leads to."""
    answer = post(client, pasted)
    assert answer.status_code == 303, text(answer)
    location = re.fullmatch(r"/orders/(?:find/|\?finding=)([0-9a-f-]{36})/?", answer["Location"])
    assert location
    finding = Finding.objects.get(pk=location[1])
    names = finding.matches or finding.missing or finding.unasked or finding.left_out
    # The result of a long search is a list.
    assert ("/find/" in location[0]) is bool(names or finding.hidden)
    return finding


@pytest.fixture
def viewer(as_role: Any, emulator: Emulator) -> Client:
    client: Client = as_role("viewer")
    return client


def test_every_identifier_of_an_order_is_found(viewer: Client) -> None:
    batch = uuid4()
    by_id = known()
    by_reference = known(reference_id="ABCD1234EFGH5678IJKL9012")
    by_email = {known(recipient_email="Ada.L@example.test") for _ in range(2)}
    by_batch = {known(order_batch_id=str(batch)) for _ in range(2)}
    by_link = known(individual_gift_link="https://gifts.example.test/gift/Token_1-x")
    known(recipient_email="somebody.else@example.test")

    finding = found(
        viewer,
        f"Dear support, <{str(by_id).upper()}> and abcd1234efgh5678ijkl9012, for "
        f"ADA.L@EXAMPLE.TEST;\nbatch {batch}, https://gifts.example.test/gift/Token_1-x?utm=1",
    )

    assert set(finding.orders) == {by_id, by_reference, *by_email, *by_batch, by_link}
    assert len(finding.orders) == len(set(finding.orders))
    assert (finding.missing, finding.unasked, finding.was_cut) == ([], [], False)


def test_identifiers_without_an_order_are_kept_as_written(viewer: Client) -> None:
    stranger = uuid4()
    finding = found(
        viewer,
        f"{stranger} ZZZZ1234EFGH5678IJKL9012 no.one@example.test "
        "https://gifts.example.test/gift/SecretToken99",
    )
    assert finding.orders == ()
    assert finding.missing == [
        "ZZZZ1234EFGH5678IJKL9012",
        "no.one@example.test",
        "gift link ending in en99",
        str(stranger),
    ]
    words = finding_summary(finding, zone=ZoneInfo("UTC"))
    assert words.title == "0 orders found, 4 values not found"
    assert words.copy.splitlines() == finding.missing


def test_the_beginning_of_a_receipt_is_looked_up(viewer: Client) -> None:
    order_id = known(reference_id="VGCO1234EFGH5678IJKL9012")
    known(reference_id="VGCO1235EFGH5678IJKL9012")
    finding = found(viewer, "Hello,\nref: VGCO-1234 never came, nor did Ref: ZZZZ9999.")
    assert finding.orders == (order_id,)
    assert finding.missing == ["receipt beginning with ZZZZ9999"]
    assert ids_in(viewer.get("/orders/", {"q": "ref: VGCO1234"})) == [str(order_id)]


def test_a_link_that_hides_its_target_is_listed(viewer: Client) -> None:
    link = "https://protect-us.mimecast.com/s/QnBkCo2vX0h?domain=gifts.ongoody.com"
    finding = found(viewer, f"My gift: {link}")
    assert finding.hidden == ["protect-us.mimecast.com link ending in vX0h"]
    page = text(viewer.get("/orders/", {"finding": str(finding.pk)}))
    assert "<strong>0 orders found, 1 unreadable</strong>" in page
    assert f"Copy them from the original mail: {finding.hidden[0]}</p>" in page


def test_a_token_without_its_link_is_found_like_a_reference(viewer: Client) -> None:
    token = "ABCD1234EFGH5678IJKL9012"
    order_id = known(individual_gift_link=f"https://gifts.example.test/gift/{token}")
    finding = found(viewer, f"they wrote {token} to us")
    assert finding.orders == (order_id,)
    assert [one["named"] for one in finding.matches] == ["…9012"]
    assert token not in str(Finding.objects.filter(pk=finding.pk).values())


def test_pasted_text_is_not_stored(viewer: Client) -> None:
    known(recipient_email="ada@example.test")
    finding = found(viewer, "The password is swordfish, ada@example.test")
    assert "swordfish" not in str(Finding.objects.filter(pk=finding.pk).values())


def test_unknown_id_is_requested_from_goody(viewer: Client, emulator: Emulator) -> None:
    order_id = open_order(emulator)
    finding = found(viewer, f"{order_id} {uuid4()}")
    assert finding.orders == (order_id,)
    assert len(finding.missing) == 1
    assert Order.objects.get().uuid == order_id
    assert emulator.calls()["total"] == 2

    found(viewer, str(order_id))
    assert emulator.calls()["total"] == 2


def test_goody_is_called_for_a_few_ids_only(viewer: Client, emulator: Emulator) -> None:
    ids = [uuid4() for _ in range(findings.MOST_ASKED + 3)]
    finding = found(viewer, "\n".join(map(str, ids)))
    assert finding.missing == [str(one) for one in ids[: findings.MOST_ASKED]]
    assert finding.unasked == [str(one) for one in ids[findings.MOST_ASKED :]]
    assert emulator.calls()["total"] == findings.MOST_ASKED
    assert finding_summary(finding, zone=ZoneInfo("UTC")).title == (
        "0 orders found, 10 values not found, 3 not known"
    )


def test_identifiers_are_not_missing_after_a_timeout(
    viewer: Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    pasted = f"{known()} {uuid4()} ada@example.test"
    monkeypatch.setattr("orders.services.findings.SEARCH_SECONDS", 0)
    answer = post(viewer, pasted)
    assert answer.status_code == 503
    assert "took too long, so that nothing is known of it" in text(answer)
    assert pasted in text(answer)
    assert not Finding.objects.exists()
    assert emulator.calls()["total"] == 0


def test_identifiers_are_not_missing_while_goody_is_down(
    viewer: Client, emulator: Emulator
) -> None:
    here, ids = known(), [str(uuid4()) for _ in range(3)]
    emulator.add_fault({"kind": "status", "status": 503})
    finding = found(viewer, f"{here} {' '.join(ids)}")
    assert finding.orders == (here,)
    assert finding.missing == []
    assert finding.unasked == ids
    assert emulator.calls()["total"] == 1


def test_identifiers_are_not_missing_during_the_first_import(viewer: Client) -> None:
    """An id that is no order's at Goody may be the id of a batch."""
    complete_sync(timezone.now(), finished_at=None)
    here, strange = known(), uuid4()
    finding = found(viewer, f"{here} {strange} no.one@example.test ZZZZ1234EFGH5678IJKL9012")
    assert finding.orders == (here,)
    assert finding.missing == []
    assert set(finding.unasked) == {
        str(strange),
        "no.one@example.test",
        "ZZZZ1234EFGH5678IJKL9012",
    }
    assert finding_summary(finding, zone=ZoneInfo("UTC")).title == "1 order found, 3 not known"


def test_unreadable_response_does_not_affect_other_ids(viewer: Client, emulator: Emulator) -> None:
    odd, good = open_order(emulator), open_order(emulator)
    emulator.add_fault({"kind": "mutate", "set": {"status": 7}}, path=f"/v1/orders/{odd}")
    finding = found(viewer, f"{odd} {good}")
    assert finding.orders == (good,)
    assert finding.unasked == [str(odd)]


def test_truncated_finding_says_so(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "MOST_ORDERS", 3)
    monkeypatch.setattr(findings, "MOST_NAMED", 2)
    for _ in range(4):
        known(recipient_email="many@example.test")
    known(recipient_email="few@example.test")
    finding = found(viewer, "many@example.test few@example.test third@example.test")
    assert len(finding.orders) == 3
    # Names beyond the limits are not reported as missing.
    assert finding.missing == []
    assert finding.was_cut


def test_truncated_finding_keeps_the_first_identifiers() -> None:
    many = PastedIdentifiers(ids=(uuid4(), uuid4()), references=("A",), emails=("b@c.de", "d@e.fg"))
    kept = findings._first(many, 4)
    assert (kept.ids, kept.references, kept.emails) == (many.ids, ("A",), ("b@c.de",))


def test_a_short_text_that_names_nothing_is_searched_for(viewer: Client) -> None:
    answer = post(viewer, "  Ada & Grace ")
    assert (answer.status_code, answer["Location"]) == (303, "/orders/?q=Ada+%26+Grace")


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        ("", "Paste or write something first."),
        (" \n ", "Paste or write something first."),
        ("<b>words</b> " * 50, "Nothing in this text can be looked up"),
        ("x" * (MAX_CHARACTERS + 1), "This is more than 100,000 characters."),
    ],
    ids=["empty", "blank", "no names", "too long"],
)
def test_text_without_identifiers_is_explained_and_kept(
    viewer: Client, pasted: str, sentence: str
) -> None:
    answer = post(viewer, pasted)
    page = text(answer)
    assert answer.status_code == 422
    assert sentence in page
    assert "<b>" not in page
    assert ("&lt;b&gt;words" in page) is ("<b>" in pasted)
    assert not Finding.objects.exists()


def test_unusual_characters_are_accepted(viewer: Client) -> None:
    order_id = known()
    assert found(viewer, f"\x00\u202e{order_id}\x00 'x\" \\ % \U0001f381").orders == (order_id,)


def test_a_finding_is_its_owners_and_lasts_a_week(as_role: Any, emulator: Emulator) -> None:
    finding = found(as_role("agent"), str(known()))
    now = finding.created_at
    owner, other = actor("agent"), actor("admin")

    def there(who: Any, days: float) -> bool:
        at = now + timedelta(days=days)
        try:
            return services.get_finding(actor=who, finding_id=finding.pk, now=at) == finding
        except FindingNotFound:
            return False

    assert (there(owner, 0), there(owner, 6.99), there(owner, 7)) == (True, True, False)
    assert not there(other, 0)
    with pytest.raises(FindingNotFound):
        services.get_finding(actor=owner, finding_id=uuid4(), now=now)


@pytest.mark.django_db(transaction=True)
def test_expired_findings_are_deleted(as_role: Any, emulator: Emulator) -> None:
    client = as_role("agent")
    old, new = found(client, str(known())), found(client, str(known()))
    Finding.objects.filter(pk=old.pk).update(created_at=old.created_at - timedelta(days=7))
    work.clean_up()
    assert Finding.objects.get() == new
    assert services.delete_expired_findings(now=timezone.now()) == 0


def test_number_of_queries_does_not_depend_on_the_identifiers(viewer: Client) -> None:
    people = [f"person{number}@example.test" for number in range(60)]
    for one in people[:3]:
        known(recipient_email=one)
    with CaptureQueriesContext(connection) as queries:
        assert len(found(viewer, "\n".join(people)).orders) == 3
    # The number of renewed time limits depends on the speed of the other statements.
    asked = [one["sql"] for one in queries if 'FROM "orders_' in one["sql"]]
    assert len(asked) <= 6, asked


# --- the list of a finding ----------------------------------------------------------------------


def shown(client: Client, finding: Finding, **more: str) -> Any:
    return client.get("/orders/", {"finding": str(finding.pk), **more})


def rows(page: str) -> set[str]:
    return set(re.findall(r'<tr id="order-([^"]+)"', page))


def test_the_list_has_exactly_what_was_found_and_says_what_was_not(viewer: Client) -> None:
    ids = {known() for _ in range(3)}
    known()
    finding = found(viewer, f"{' '.join(map(str, ids))} <i>@example.test & x<y@example.test>")
    page = text(shown(viewer, finding))
    assert rows(page) == set(map(str, ids))
    assert "<strong>3 orders found, 1 value not found</strong>" in page
    assert "Not found: y@example.test</p>" in page
    assert 'data-copy="y@example.test"' in page
    assert "Found in a pasted text" in page


def test_identifiers_without_an_order_are_escaped(viewer: Client) -> None:
    finding = found(viewer, str(uuid4()))
    Finding.objects.filter(pk=finding.pk).update(missing=["<script>alert(1)</script>"])
    page = text(shown(viewer, finding))
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2


def test_a_finding_without_orders_lists_none(viewer: Client) -> None:
    known()
    page = text(shown(viewer, found(viewer, "no.one@example.test other@example.test")))
    assert rows(page) == set()
    assert "0 orders found, 2 values not found" in page


def test_filters_narrow_a_finding_and_a_search_does_not_widen_it(viewer: Client) -> None:
    a, b, other = known(status="paid"), known(), known()
    finding = found(viewer, f"{a} {b}")
    assert rows(text(shown(viewer, finding, status="paid"))) == {str(a)}
    assert rows(text(shown(viewer, finding, q=f"{b} {other}"))) == {str(b)}


def test_the_list_of_another_person_or_of_last_month_is_not_there(
    as_role: Any, viewer: Client
) -> None:
    finding = found(viewer, str(known()))
    for client in (as_role("admin"), viewer):
        answer = shown(client, finding)
        assert answer.status_code == (200 if client is viewer else 404)
    Finding.objects.update(created_at=finding.created_at - timedelta(days=8))
    answers = [shown(viewer, finding), shown(viewer, Finding(pk=uuid4()))]
    assert [one.status_code for one in answers] == [404, 404]
    for one in answers:
        assert "kept for 7 days, only for the person who pasted it." in text(one)
        assert f'href="{FIND}"' in text(one)


@pytest.mark.parametrize(
    ("q", "is_offered"),
    [
        ("ana", False),
        ("a@example.test", False),
        ("a@example.test b@example.test", True),
        ("word " * 120, True),
    ],
)
def test_a_ticket_in_the_box_can_be_looked_up_whole(
    viewer: Client, q: str, is_offered: bool
) -> None:
    page = text(viewer.get("/orders/", {"q": q}))
    assert ("Look all of it up" in page) is is_offered
    assert (f'name="text" value="{q.strip()}"' in page) is is_offered


# --- a search too long for a URL ----------------------------------------------------------------


def test_a_long_search_becomes_a_finding(viewer: Client) -> None:
    words = [f"{number}{'語' * 20}" for number in range(10)]
    order_id = known(
        recipient_first_name=" ".join(words[:5]), recipient_last_name=" ".join(words[5:])
    )
    known(recipient_first_name=words[0])
    finding = found(viewer, " ".join(words))
    assert (finding.orders, finding.missing, finding.was_cut) == ((order_id,), [], False)


def test_a_long_search_is_cut_and_narrowed(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "MOST_ORDERS", 2)
    name = "語" * 100
    ids = [known(recipient_first_name=name, status="paid") for _ in range(3)]
    known(recipient_first_name=name)
    finding = found(viewer, f"{name} {name} {name} status:paid")
    assert set(finding.orders) < set(ids)
    assert (len(finding.orders), finding.was_cut) == (2, True)


@pytest.mark.parametrize(("letters", "status"), [(166, 303), (167, 422)])
def test_bytes_decide_what_is_long(viewer: Client, letters: int, status: int) -> None:
    answer = post(viewer, "語" * letters)
    assert answer.status_code == status
    assert ("no order has all of its words" in text(answer)) is (status == 422)


# --- addresses ----------------------------------------------------------------------------------


def sent(email: str, **fields: Any) -> UUID:
    sender = {"first_name": "Sam", "last_name": "Sender", "email": email}
    return known(sender=sender, **fields)


def test_an_address_is_looked_up_as_recipient_and_as_sender(viewer: Client) -> None:
    by_sender = {sent("Sam@sender.example") for _ in range(3)}
    to_them = known(recipient_email="sam@sender.example")
    finding = found(viewer, "From: sam@sender.example\nCc: no.one@sender.example")
    assert set(finding.orders) == {*by_sender, to_them}
    assert finding.missing == ["no.one@sender.example"]


def test_a_sender_without_orders_is_not_found(viewer: Client) -> None:
    order_id = sent("old@sender.example")
    Order.objects.filter(uuid=order_id).update(sender_id=None)
    finding = found(viewer, "old@sender.example other@sender.example")
    assert (finding.orders, finding.missing) == (
        (),
        ["old@sender.example", "other@sender.example"],
    )


def test_own_addresses_are_left_out_with_a_note(viewer: Client, settings: Any) -> None:
    settings.OWN_ADDRESSES = ["Us.Example", "@team.example", "help@else.example"]
    ours = [
        "ana@us.example",
        "bo@mail.us.example",
        "cy@team.example",
        "help@else.example",
    ]
    others = ["dee@else.example", "eve@notus.example"]
    known(recipient_email="ana@us.example")
    order_id = known(recipient_email="dee@else.example")
    finding = found(viewer, " ".join([*ours, *others]))
    assert finding.left_out == ours
    assert (finding.orders, finding.missing) == ((order_id,), ["eve@notus.example"])
    page = text(shown(viewer, finding))
    assert "<strong>1 order found, 1 value not found, 4 left out</strong>" in page
    assert f"Left out, since they are your own: {', '.join(ours)}</p>" in page
    assert 'data-copy="eve@notus.example"' in page


def test_identifiers_without_an_order_are_listed_as_written(viewer: Client, settings: Any) -> None:
    settings.OWN_ADDRESSES = ["bücher.example"]
    finding = found(
        viewer, "José.Núñez@Example.test, 山田@xn--r8jz45g.jp, me@xn--bcher-kva.example"
    )
    assert finding.missing == ["José.Núñez@Example.test", "山田@xn--r8jz45g.jp"]
    assert finding.left_out == ["me@xn--bcher-kva.example"]


def test_another_address_is_never_shown_as_found(viewer: Client) -> None:
    known(recipient_email="ops@pair.example")
    finding = found(viewer, "sales&ops@pair.example, a/ops@pair.example and key=ops@pair.example")
    assert finding.orders == ()
    assert finding.missing == [
        "sales&ops@pair.example",
        "a/ops@pair.example",
        "key=ops@pair.example",
    ]


# --- the page of a ticket -----------------------------------------------------------------------


def page_of(client: Client, finding: Finding) -> str:
    return text(client.get(f"/orders/find/{finding.pk}/"))


def rows_in(page: str) -> list[str]:
    return re.findall(r'<tr data-order-id="([0-9a-f-]{36})"', page)


def test_a_ticket_shows_who_wrote_and_the_orders_in_its_order(viewer: Client) -> None:
    writer = "Ana.B@acme.test"
    sender = {"first_name": "Ana", "last_name": "B", "email": writer}
    received = known(recipient_email=writer)
    sent = [known(sender=sender, recipient_email=f"r{one}@post.test") for one in range(7)]
    by_link = known(individual_gift_link="https://gifts.example.test/gift/Token_1-x")
    by_reference = known(reference_id="ABCD1234EFGH5678IJKL9012")
    finding = found(
        viewer,
        f"From: Ana B <{writer}>\nTo: help@goody.test\n\nWhere are ABCD1234EFGH5678IJKL9012,"
        f" https://gifts.example.test/gift/Token_1-x and that of {sent[0]}? Not {uuid4()}.",
    )
    assert finding.writer == writer
    page = page_of(viewer, finding)
    newest = [str(one) for one in (*reversed(sent[2:]),)]
    assert rows_in(page) == [str(received), *newest, str(by_reference), str(by_link), str(sent[0])]
    assert f"Who wrote: <bdi>{writer}</bdi>" in page
    assert "Receipt ABCD1234EFGH5678IJKL9012" in page
    assert "Gift link …_1-x" in page
    assert "Token_1-x" not in page
    assert f"All 7 orders: sender {writer}" in page
    assert '<a href="/orders/?sender=ana.b%40acme.test">' in page
    assert "4 of 6 named values found" in page
    assert "Not found (2)" in page


def test_an_order_is_shown_once_with_all_that_matched(viewer: Client) -> None:
    one = known(recipient_email="bo@post.test", reference_id="ABCD1234EFGH5678IJKL9012")
    page = page_of(viewer, found(viewer, f"ABCD1234EFGH5678IJKL9012 {one} bo@post.test a@b.test"))
    assert rows_in(page) == [str(one)]
    short = f"{one}"[:8]
    assert f"Receipt ABCD1234EFGH5678IJKL9012 · Order id {short}" in page
    assert "· Recipient bo@post.test<" in page
    assert "Who wrote" not in page


@pytest.mark.parametrize(
    ("pasted", "writer"),
    [
        ("> From: Ana <ana@a.test>\nFrom: bo@b.test", "ana@a.test"),
        ("On Monday, Ana <Ana@a.test> wrote:\n> to bo@b.test", "Ana@a.test"),
        ("Von: help@own.test\nAm 3. schrieb bo@b.test: ana@a.test", ""),
        ("where is that of ana@a.test, " + "x" * 600, "ana@a.test"),
        ("ana@a.test and bo@b.test", ""),
    ],
)
def test_author_of_a_ticket(viewer: Client, settings: Any, pasted: str, writer: str) -> None:
    settings.OWN_ADDRESSES = ["own.test"]
    known(recipient_email="ana@a.test")
    assert found(viewer, pasted).writer == writer


def test_a_ticket_is_ones_own(viewer: Client, as_role: Any) -> None:
    known(recipient_email="ana@a.test")
    finding = found(viewer, "ana@a.test bo@b.test")
    assert as_role("agent").get(f"/orders/find/{finding.pk}/").status_code == 404


def test_a_sender_of_many_orders_hides_no_other(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "MOST_ORDERS", 6)
    senders = [{"first_name": "A", "last_name": "", "email": f"{one}@corp.test"} for one in "ab"]
    rare = known(sender=senders[0], recipient_email="")
    for _ in range(8):
        known(sender=senders[1], recipient_email="")
    answer = post(viewer, "From: x@y.test\n a@corp.test and b@corp.test")
    finding = Finding.objects.get()
    counts = {one["named"]: (one["count"], one["orders"][0]) for one in finding.matches}
    assert counts["a@corp.test"] == (1, str(rare))
    assert counts["b@corp.test"][0] == 7
    page = text(viewer.get(answer["Location"]))
    assert "All 6+ orders: sender b@corp.test" in page
