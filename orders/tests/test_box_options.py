"""/orders/box/: the options below the search box while somebody types."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from orders import index
from orders.models import Spelling, SpellingTrigram, SyncState
from orders.presenters.search_box import highlight_words
from orders.search.completions import complete_last_word
from orders.search.labels import LabelSuggestion
from orders.search.parse import OPERATOR_NAMES
from testing.domain import order
from testing.list_pages import complete_sync, expected_ids, text_of
from testing.search_oracle import NOW, Oracle
from testing.vendor import Emulator

BOX = "/orders/box/"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("search_time")]


@pytest.fixture
def agent(as_role: Any) -> Client:
    return as_role("agent")  # type: ignore[no-any-return]


def options(agent: Client, q: str, **filters: str) -> list[str]:
    """Return the texts of the options, in their order."""
    page = re.sub("</?mark>", "", text_of(agent.get(BOX, {"q": q, **filters})))
    found = re.findall(r'<(a|div) class="option"[^>]*>(.*?)</\1>', page, re.DOTALL)
    return [re.sub(r"<[^>]+>|\s+", " ", text).strip() for _, text in found]


def links(agent: Client, q: str, **filters: str) -> dict[str, str]:
    """Return the links to other lists by their text."""
    page = text_of(agent.get(BOX, {"q": q, **filters}))
    found = re.findall(r'<a class="option" id="box-link-\d+"[^>]* href="([^"]*)">(.*?)</a>', page)
    return {text: url for url, text in found}


def order_ids(agent: Client, q: str, **filters: str) -> list[str]:
    page = text_of(agent.get(BOX, {"q": q, **filters}))
    return re.findall(r'id="box-order-\d+"[^>]* href="/orders/([0-9a-f-]{36})/', page)


def note(agent: Client, q: str) -> str:
    found = re.search(r'class="options__note">(.*?)</p>', text_of(agent.get(BOX, {"q": q})))
    return found[1] if found else ""


# --- orders -----------------------------------------------------------------------------------


def test_the_first_orders_of_the_list_and_a_link_to_all(agent: Client, full: Oracle) -> None:
    everything = expected_ids(full, "q=okafor")
    assert order_ids(agent, "okafor") == everything[:7]
    assert links(agent, "okafor") == {f"All {len(everything)} orders": "/orders/?q=okafor"}
    narrowed = expected_ids(full, "q=okafor&status=delivered")
    assert order_ids(agent, "okafor", status="delivered") == narrowed[:7]
    assert note(agent, "okafor") == ""


def test_the_searched_words_are_marked(agent: Client) -> None:
    complete_sync(NOW)
    ada = order(
        id=str(uuid4()),
        recipient_first_name="Ödön",
        recipient_last_name="O'Dön <b>",
        recipient_email="odon@post.test",
    )
    index.upsert_orders([ada], read_at=NOW)
    page = text_of(agent.get(BOX, {"q": "ODON post"}))
    assert re.findall("<mark>(.*?)</mark>", page) == ["Ödön", "odon", "post"]
    assert "<b>" not in agent.get(BOX, {"q": "odon"}).content.decode()
    whole = text_of(agent.get(BOX, {"q": "odon@post.test"}))
    assert re.findall("<mark>(.*?)</mark>", whole) == ["odon@post.test"]


@pytest.mark.parametrize(
    ("text", "words", "marked"),
    [
        ("Emma Novak", ["nov", "ov"], ["Nov"]),
        ("Emma Novak", ["em", "ma", "a"], ["Em"]),
        ("Emma Emerson", ["em"], ["Em", "Em"]),
        ("Łukasz", ["lukasz"], ["Łukasz"]),
        ("Straße", ["strasse"], ["Straße"]),
        ("e\u0301e", ["ee"], ["e\u0301e"]),
        ("", ["a"], []),
        ("Emma", [], []),
    ],
)
def test_matches_are_marked_as_they_are_searched(
    text: str, words: list[str], marked: list[str]
) -> None:
    parts = highlight_words(text, words)
    assert [part.text for part in parts if part.is_match] == marked
    assert "".join(part.text for part in parts) == text


def test_the_only_order_is_marked(agent: Client, full: Oracle) -> None:
    page = text_of(agent.get(BOX, {"q": str(full.rows[0].uuid)}))
    assert re.findall(r'href="/orders/([0-9a-f-]{36})/[^"]*" data-only', page) == [
        str(full.rows[0].uuid)
    ]
    assert "data-only" not in text_of(agent.get(BOX, {"q": "okafor"}))


@pytest.mark.parametrize("text", ["", "  ", "\u200b"])
def test_an_empty_box_has_no_options(agent: Client, text: str) -> None:
    response = agent.get(BOX, {"q": text})
    assert (response.status_code, response.content) == (204, b"")


def test_unknown_id_is_not_described_as_absent(agent: Client, emulator: Emulator) -> None:
    assert "not in our copy" in note(agent, str(uuid4()))
    assert emulator.calls()["total"] == 0


def test_search_timeout_is_not_described_as_empty(
    agent: Client, full: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.search.paging.SEARCH_SECONDS", 0.0)
    assert note(agent, "okafor") == "This search takes too long: add a date or a status."


def test_an_incomplete_operator_is_explained(agent: Client, full: Oracle) -> None:
    assert note(agent, "expires:soon").startswith("“expires:soon” is not understood; write ")
    assert note(agent, "status:sh") == ""


@pytest.mark.parametrize(
    "change", [{"finished_at": None}, {"folding_version": 0}], ids=["importing", "refolding"]
)
def test_incomplete_index_does_not_claim_that_no_order_matches(
    agent: Client, full: Oracle, change: dict[str, Any]
) -> None:
    SyncState.objects.update(**change)
    assert note(agent, "zzyzx") == ("No order found so far: not all orders can be searched yet.")


def test_empty_search_with_filters_is_explained(agent: Client, full: Oracle) -> None:
    text = "okafor expires:none created:2001"
    assert note(agent, text) == "No order matches."
    count = len(expected_ids(full, "q=okafor+expires:none"))
    [without] = [one for one in links(agent, text) if one.startswith("Without Created")]
    assert without.endswith(f"2001 ({count} orders)")
    assert links(agent, text)[without] == "/orders/?q=okafor+expires%3Anone"


# --- did you mean ------------------------------------------------------------------------------


@pytest.fixture
def emmas(db: None) -> None:
    """Twelve orders for Emma Novak, three for Emil Novotny, one for Petr Nowak."""
    people = [("Emma", "Novak")] * 12 + [("Emil", "Novotny")] * 3 + [("Petr", "Nowak")]
    orders = [
        order(
            id=str(uuid4()),
            recipient_first_name=first,
            recipient_last_name=last,
            recipient_email=f"{first}.{last}@post.test".lower(),
            sender=None,
        )
        for first, last in people
    ]
    index.upsert_orders(orders, read_at=NOW)
    complete_sync(NOW)


@pytest.mark.parametrize(
    ("typed", "first", "text"),
    [
        ("Novack", "Did you mean Novak? (12 orders)", "Novak"),
        ("Emma Novk", "Did you mean Emma Novak? (12 orders)", "Emma Novak"),
        ("ema novak", "Did you mean Emma Novak? (12 orders)", "Emma Novak"),
        ("Novk, Emma", "Did you mean Novak, Emma? (12 orders)", "Novak, Emma"),
        (
            "emma.novka@post.test",
            "Did you mean emma.novak@post.test? (12 orders)",
            "emma.novak@post.test",
        ),
        (
            "emma.novak@psot.test",
            "Did you mean emma.novak@post.test? (12 orders)",
            "emma.novak@post.test",
        ),
        ("petr nowack", "Did you mean Petr Nowak? (1 order)", "Petr Nowak"),
        ("Emil Nowotny -status:paid", "Did you mean Emil Novotny? (3 orders)", "Emil Novotny"),
    ],
)
def test_nearest_name_or_address_is_suggested(
    agent: Client, emmas: None, typed: str, first: str, text: str
) -> None:
    found = links(agent, typed)
    assert next(iter(found)) == first
    assert order_ids(agent, text) != []


def test_local_part_is_suggested_for_a_misspelled_address(agent: Client, emmas: None) -> None:
    numbered = order(id=str(uuid4()), recipient_email="olga.petrova17@post.test")
    index.upsert_orders([numbered], read_at=NOW)
    found = links(agent, "olga.petrova@psot.test")
    assert found["Did you mean olga.petrova? (1 order)"] == "/orders/?q=olga.petrova"


def test_names_near_enough_are_offered_only_without_a_match(agent: Client, emmas: None) -> None:
    assert not [one for one in links(agent, "novak") if "Did you mean" in one]
    assert links(agent, "xylophone") == {"All orders (16 orders)": "/orders/"}
    assert "Did you mean Emma Novak? (12 orders)" in text_of(
        agent.get("/orders/", {"q": "emma novk"})
    )


def test_other_conditions_of_the_search_are_kept(agent: Client, emmas: None) -> None:
    narrowed = links(agent, "novack -status:notified")
    assert not [one for one in narrowed if "Did you mean" in one]
    kept = links(agent, "novack -status:delivered")
    assert kept["Did you mean Novak? (12 orders)"] == "/orders/?q=Novak+-status%3Adelivered"


def test_timeout_of_similar_names_is_not_described_as_none(
    agent: Client, emmas: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.search.spelling.SECONDS", 0.0)
    assert note(agent, "novack") == "No order matches. Looking for similar names took too long."


def test_words_are_stored_once_and_with_their_trigrams(emmas: None) -> None:
    words = ["emil", "emma", "novak", "novotny", "nowak", "petr", "post", "test"]
    assert sorted(Spelling.objects.values_list("word", flat=True)) == words
    stored = SpellingTrigram.objects.filter(word="novak").values_list("trigram", flat=True)
    assert sorted(stored) == [" no", "ak ", "nov", "ova", "vak"]
    index.upsert_orders([order(recipient_first_name="Zoë")], read_at=NOW + timedelta(minutes=1))
    assert Spelling.objects.filter(word="zoe").count() == 1


def test_words_of_a_renamed_sender_are_stored() -> None:
    sender = {"first_name": "Ana", "last_name": "Bo", "email": "ana@post.test"}
    for minute, first_name in enumerate(("Ana", "Anastasia")):
        given = order(sender={**sender, "first_name": first_name})
        index.upsert_orders([given], read_at=NOW + timedelta(minutes=minute))
    assert Spelling.objects.filter(word="anastasia").exists()


# --- completions --------------------------------------------------------------------------------


def names(kind: str, part: str) -> list[LabelSuggestion]:
    known = {"sender": [LabelSuggestion("ana@b.test", "Ana B <ana@b.test>")], "brand": []}
    known["workspace"] = [LabelSuggestion("1", "People team"), LabelSuggestion("2", 'The "A" team')]
    return [one for one in known[kind] if part.lower() in one.name.lower()]


def words(text: str) -> list[str]:
    return [one.word for one in complete_last_word(text, names=names)]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("sta", ["status:"]),
        ("-sta", ["-status:"]),
        ("ship", ["status:shipped"]),
        ("-Deliv", ["-status:delivered"]),
        ("exp", ["expires:", "is:expired"]),
        ("-exp", ["-is:expired"]),
        ("status:op", ["status:opened"]),
        ("ana STATUS:opened,not", ["status:opened,notified"]),
        (
            "expires:",
            ["expires:<24h", "expires:<7d", "expires:<14d", "expires:past", "expires:none"],
        ),
        ("-expires:", ["-expires:none"]),
        ("-created:", []),
        ("-amount:", []),
        ("is:sw", ["is:swapped"]),
        ("sender:an", ["sender:ana@b.test"]),
        ("workspace:team", ['workspace:"People team"', 'workspace:"The A team"']),
        ('workspace:"people t', ['workspace:"People team"']),
        ("status:opened", []),
        ("ana ", []),
        ("s", []),
        ("12:30", []),
        ("https://example.com", []),
    ],
)
def test_the_last_word_is_completed(typed: str, offered: list[str]) -> None:
    assert words(typed) == offered


def test_completion_keeps_the_text_before_it() -> None:
    [one] = complete_last_word("ana  -status:paid ship", names=names)
    assert one.text == "ana  -status:paid status:shipped"


def test_every_operator_is_completed() -> None:
    for name in OPERATOR_NAMES.split():
        assert name in words(name[:2]) or name in words(name[:-1])


def test_completions_come_first_after_an_operator(agent: Client, full: Oracle) -> None:
    assert options(agent, "okafor status:deliv")[0] == "status:delivered"
    assert options(agent, "okafor")[0] != "status:delivered"
