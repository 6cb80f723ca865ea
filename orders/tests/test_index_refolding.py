"""Folding stored orders again after an update with another FOLDING_VERSION."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from orders import index
from orders.compression import compress_json
from orders.index import refolding
from orders.management.commands import work
from orders.models import (
    Finding,
    Label,
    LabelVersion,
    Order,
    OrderPayload,
    SavedView,
    SearchText,
    Spelling,
    SyncState,
    WordStart,
)
from orders.text import fold_text
from testing.domain import order
from testing.list_pages import complete_sync, ids_in, text_of
from testing.users import make_user

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MESSAGES = ("Schöne Grüße", "ابن بطوطة", "")


def known(number: int, **fields: Any) -> None:
    given = {
        "id": str(uuid4()),
        "recipient_first_name": "Jürgen",
        "recipient_last_name": f"O´Mueller {number}",
        "recipient_email": f"j{number}@xn--bcher-kva.example",
        "message": MESSAGES[number % 3],
        "sender": {
            "first_name": "علی",
            "last_name": "",
            "email": f"s{number % 2}@xn--e1afmkfd.test",
        },
        **fields,
    }
    index.upsert_orders([order(**given)], read_at=AT)


def contents() -> list[Any]:
    """Return all folded values of the index, with the ids of labels and texts resolved."""
    texts = dict(SearchText.objects.values_list("pk", "folded"))
    labels = dict(Label.objects.values_list("pk", "key"))
    orders = [
        {
            **{name: value for name, value in vars(one).items() if not name.startswith("_")},
            "message_id": texts.get(one.message_id),
            "note_id": texts.get(one.note_id),
            "sender_id": labels.get(one.sender_id),
        }
        for one in Order.objects.order_by("uuid")
    ]
    starts = sorted(WordStart.objects.values_list("start", "order_id"))
    named = sorted(Label.objects.values_list("kind", "key", "name", "folded"))
    return [orders, starts, named, sorted(texts.values())]


def make_outdated() -> None:
    """Change stored values as if another version had folded them: texts, prefixes, a sender."""
    for one in Order.objects.all():
        WordStart.objects.filter(
            order_id=one.pk, start__in=refolding.word_starts_of_names(one.people)
        ).delete()
        WordStart.objects.create(start="ol", order_id=one.pk)
        one.people, one.name_key, one.email_key = "old", "old", "old"
        text, _ = SearchText.objects.get_or_create(hash=f"old {one.message_id}", folded="old")
        one.message_id = text.pk
        one.save()
    Label.objects.update(folded="old")
    for label in Label.objects.filter(kind="sender"):
        label.key = f"old {label.key}"
        label.save()
    SearchText.objects.exclude(folded="old").delete()
    SyncState.objects.update(folding_version=1)


@pytest.fixture
def outdated() -> list[Any]:
    """The contents of the index that refolding must restore."""
    complete_sync(timezone.now())
    for number in range(7):
        known(number)
    expected = contents()
    make_outdated()
    assert contents() != expected
    return expected


def test_refolding_equals_a_new_sync(outdated: list[Any]) -> None:
    token = LabelVersion.objects.get().token
    assert index.refold_orders(seconds=60) == 7
    assert contents() == outdated
    assert LabelVersion.objects.get().token != token
    assert not SyncState.objects.get().is_refolding
    assert index.refold_orders(seconds=60) == 0


def test_words_of_senders_are_stored_as_they_are_folded_now() -> None:
    complete_sync(timezone.now())
    known(0, sender={"first_name": "Anastasia", "last_name": "", "email": "s0@post.test"})
    words = set(Spelling.objects.values_list("word", flat=True))
    Spelling.objects.all().delete()
    Label.objects.update(folded="old")
    SyncState.objects.update(folding_version=1)
    index.refold_orders(seconds=60)
    assert "anastasia" in words
    assert set(Spelling.objects.values_list("word", flat=True)) == words


def test_names_of_saved_views_are_folded_again(outdated: list[Any]) -> None:
    ana, bo = make_user("agent", "ana"), make_user("agent", "bo")
    for owner, name, key in (
        (ana, "Müller", "old"),
        (ana, "MÜLLER", "older"),
        (bo, "Müller", "muller"),
    ):
        SavedView.objects.create(owner=owner, name=name, name_key=key)
    index.refold_orders(seconds=60)
    keys = SavedView.objects.order_by("pk").values_list("name_key", flat=True)
    assert list(keys) == [fold_text("Müller"), "older", fold_text("Müller")]


def test_refolding_resumes(outdated: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refolding, "BATCH", 3)
    assert [index.refold_orders(seconds=0) for _ in range(3)] == [3, 3, 1]
    assert SyncState.objects.get().is_refolding
    assert contents() != outdated
    # The last batch is empty and deletes what is not used any more.
    assert index.refold_orders(seconds=0) == 0
    assert contents() == outdated


def test_an_order_whose_json_is_unreadable_keeps_its_row(outdated: list[Any]) -> None:
    odd = Order.objects.order_by("uuid")[3]
    OrderPayload.objects.filter(pk=odd.pk).update(packed=compress_json(b"{}"))
    assert index.refold_orders(seconds=60) == 7
    assert set(Order.objects.filter(people="old")) == {odd}
    assert not SyncState.objects.get().is_refolding


@pytest.mark.django_db(transaction=True)
def test_the_worker_refolds(outdated: list[Any]) -> None:
    while SyncState.objects.get().is_refolding:
        work.clean_up()
    assert contents() == outdated


def test_orders_are_not_missing_while_the_index_is_refolded(
    as_role: Any, outdated: list[Any]
) -> None:
    client: Client = as_role("viewer")
    page = text_of(client.get("/orders/", {"q": "Müller"}))
    assert "Searches are being brought up to date after an update" in page
    client.post("/orders/find/", {"text": "no.one@example.test other@example.test"})
    finding = Finding.objects.get()
    assert (finding.missing, finding.unasked) == ([], ["no.one@example.test", "other@example.test"])
    index.refold_orders(seconds=60)
    page = client.get("/orders/", {"q": "Müller"})
    assert len(ids_in(page)) == 7
    assert "brought up to date after" not in text_of(page)


@pytest.mark.parametrize(
    "q",
    ["Mueller", "Müller", "o'müller", "O′Mueller", "juergen", "j3@bücher.example", "gruesse",
     "ابن بطوطه", "ابن بطوطة", "علي"],
)  # fmt: skip
def test_a_search_finds_each_spelling(as_role: Any, q: str) -> None:
    complete_sync(timezone.now())
    for number in range(4):
        known(number)
    page = as_role("agent").get("/orders/", {"q": q})
    # The address of one order leads to it.
    assert ids_in(page) or page.status_code == 303
