"""Ids, addresses, receipts and links found in pasted text."""

from __future__ import annotations

import re
from pathlib import Path
from time import process_time
from uuid import UUID

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orders.search.paste import (
    MAX_SEARCH_BYTES,
    PastedIdentifiers,
    recognize_identifiers,
    split_identifiers_and_terms,
)
from orders.text import fold_text

LINES = Path(__file__).with_name("pasted_lines.txt")
STANDING_FOR = {
    "ID2": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "ID": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "HEX": "a3bb189e8bf9388899123e1f8b6a1c2d",
    "REF2": "ZYXW9876VUTS5432RQPO1098",
    "REF": "VGCO1234ABCD5678EFGH9012",
    "LINK": "https://gifts.ongoody.com/gift/QWERTY123456ASDFGH789012",
    "TOKEN": "QWERTY123456ASDFGH789012",
}
few = settings(max_examples=100, deadline=None)
ID = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")
OTHER = UUID("7c9e6679-7425-40de-944b-e07fc1f90ae7")
REFERENCE = "ABCDEFGH23456789IJKLMNOP"
LINK = "https://gifts.example.test/gift/TESTTOKEN01"


def pasted_lines():
    for line in LINES.read_text().splitlines():
        if line and not line.startswith("#"):
            text, _, things = line.partition(" =>")
            yield pytest.param(unescaped(text), unescaped(things).split(), id=text)


def unescaped(text):
    for name, value in STANDING_FOR.items():
        text = text.replace(name, value)
    return re.sub(r"\\u([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), text)


def named_in(text):
    """Everything that the text names, in the notation of pasted_lines.txt, as a set."""
    pasted = recognize_identifiers(text)
    ids = [str(one) for one in pasted.ids]
    starts = [f"{one}*" for one in pasted.reference_starts]
    hidden = [f"hidden:{one[-3:]}" for one in pasted.hidden_links]
    named = (*ids, *pasted.references, *pasted.emails, *pasted.gift_tokens, *starts, *hidden)
    return sorted(named)


def as_named(thing):
    if re.fullmatch(r"[0-9a-f]{32}", thing):
        return str(UUID(thing))
    return fold_text(thing) if "@" in thing else thing


@pytest.mark.parametrize(("text", "things"), list(pasted_lines()))
def test_pasted_line_has_the_expected_identifiers(text, things):
    assert named_in(text) == sorted(map(as_named, things))


ATEXT = "abcXYZ019!#$%&'*+-/=?^_`{}~."


AROUND_BEFORE = ["", " ", "<", "(", '"', "to: ", "to:", "请联系", "メールは", "—", "a@b.cd, ", "|"]
AROUND_AFTER = [
    "",
    " ",
    ">",
    ")",
    '"',
    ",",
    "。",
    "谢谢",
    "です",
    "님",
    ". ",
    "—x",
    "?",
    ";x",
    "\n",
]
LOCAL_PARTS = st.tuples(
    st.text("abcXYZ019_", min_size=1, max_size=3), st.text(ATEXT, max_size=10), st.just("a")
).map("".join)


@given(
    LOCAL_PARTS,
    st.sampled_from(["pair.example", "a-b.mail.example.co.uk", "例え.jp", "x1.io"]),
    st.tuples(st.sampled_from(AROUND_BEFORE), st.sampled_from(AROUND_AFTER)),
)
@settings(max_examples=500, deadline=None)
def test_an_address_is_never_cut(local, domain, around):
    assume(local.count("{") == local.count("}"))
    before, after = around
    emails = recognize_identifiers(f"{before}{local}@{domain}{after}").emails
    assert emails[before.startswith("a@b") :] == (fold_text(f"{local}@{domain}"),)


def one(**found):
    return PastedIdentifiers(**found, is_single=True)


@pytest.mark.parametrize(
    "text",
    [
        str(ID),
        str(ID).upper(),
        ID.hex,
        ID.urn,
        f"{{{ID}}}",
        f"  “{ID}”,\n",
        str(ID).replace("-", "\N{NON-BREAKING HYPHEN}"),
        str(ID).replace("-", "\N{EN DASH}"),
        f"\u200e{ID}\u200b",
        f"https://dashboard.example.test/orders/{ID}/",
        f"http://localhost:8000/orders/{ID}/cancel/?next=%2Forders%2F",
        f"{ID} {ID}",
    ],
)
def test_an_id_in_every_spelling(text):
    assert recognize_identifiers(text) == one(ids=(ID,))


@pytest.mark.parametrize(
    "text",
    [
        REFERENCE,
        REFERENCE.lower(),
        "ABCDEFGHIJKLMNOPQRSTUVWX",
        "ABCD EFGH 2345 6789 IJKL MNOP",
        "ABCD-EFGH-2345-6789-IJKL-MNOP",
        "abcd-efgh-2345-6789-ijkl-mnop",
        "ABCDEF GH2345 6789IJ KLMNOP",
        "ABCDEFGH\N{NO-BREAK SPACE}23456789\N{NO-BREAK SPACE}IJKLMNOP",
        "ABCDE FGH23 45678 9IJKL MNOP",
        "ABCDEFGH - 23456789IJ - KLMNOP",
        f"#{REFERENCE}.",
    ],
)
def test_a_reference_in_every_spelling(text):
    pasted = recognize_identifiers(text)
    expected = "".join(filter(str.isalnum, text)).upper()
    assert pasted == one(references=(expected,))


@pytest.mark.parametrize(
    "text",
    [
        "ana@example.com",
        "Ana@Example.COM",
        "<ana@example.com>",
        "mailto:ana@example.com",
        "ana@example.com<mailto:ana@example.com>",
        "(ana@example.com).",
        "'ana@example.com'",
        "ana@example.com;",
    ],
)
def test_an_address_in_every_spelling(text):
    assert recognize_identifiers(text) == one(emails=("ana@example.com",))


@pytest.mark.parametrize(
    "address", ["a.b+c_d@mail.example.co.uk", "o'brien@example.com", "m-x@ex-ample.com",
                "李@例え.jp", "1@2.example"],
)  # fmt: skip
def test_an_address_has_many_forms(address):
    assert recognize_identifiers(f"write to {address}!").emails == (address,)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        (LINK, "TESTTOKEN01"),
        (f"<{LINK}?utm_source=mail&x=1#top>", "TESTTOKEN01"),
        (f"“{LINK}”.", "TESTTOKEN01"),
        (LINK.removeprefix("https://"), "TESTTOKEN01"),
        ("https://localhost:8000/en/gift/a-b_c123/open", "a-b_c123"),
        (f"https://gifts.example.test/gift/{REFERENCE}", REFERENCE),
        (
            "https://links.example.test/?url=https%3A%2F%2Fgifts.example.test%2Fgift%2FTESTTOKEN01"
            "&data=05",
            "TESTTOKEN01",
        ),
    ],
)
def test_a_gift_link_of_any_host(text, token):
    assert recognize_identifiers(text) == one(gift_tokens=(token,))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ana Bolena",
        "%_\\\0\u202e",
        "please cancel this gift for maria fernanda gonzalez",
        "MARIA FERNANDA GONZALEZ RUIZ ANA",
        "that this them have been gone",
        "electroencephalographist",
        "AbCdEfGh23456789IjKlMnOp",
        f"{REFERENCE}Q",
        f"{REFERENCE[:-1]}",
        f"a{ID}",
        f"x{ID.hex}",
        f"{ID}0",
        f"{ID.hex}ab",
        "0f8fad5b-d9cb-469f-a165-70867728950",
        "ana@",
        "@example.com",
        "ana@localhost",
        "-@example.com",
        f"{'a' * 65}@example.com",
        f"a@{'b.' * 130}com",
        "https://example.com/gift/",
        "https://example.com/gift/x",
        "/gift/TESTTOKEN01",
        "https://example.com/gifts/TESTTOKEN01",
    ],
)
def test_text_without_identifiers(text):
    assert recognize_identifiers(text) == PastedIdentifiers()


@pytest.mark.parametrize(
    "text", [f"Ana <{'ana@example.com'}>", "-ana@example.com", "sender:ana@example.com",
             "ana@example.com status:paid"],
)  # fmt: skip
def test_an_address_among_other_things_is_no_single_thing(text):
    assert recognize_identifiers(text) == PastedIdentifiers(emails=("ana@example.com",))


@pytest.mark.parametrize("text", [f"batch:{ID}", f"-{ID}", f"order {ID}"])
def test_an_id_among_other_things_is_no_single_thing(text):
    assert recognize_identifiers(text) == PastedIdentifiers(ids=(ID,))


def test_several_names_are_a_ticket():
    assert recognize_identifiers(f"{ID}\n{OTHER}") == PastedIdentifiers(
        ids=(ID, OTHER), is_ticket=True
    )
    assert recognize_identifiers("a@x.io, b@x.io").is_ticket
    assert recognize_identifiers(f"a@x.io {ID}").is_ticket
    assert not recognize_identifiers("a@x.io a@x.io").is_ticket


BOTH = PastedIdentifiers(emails=("a@x.io", "b@x.io"), is_ticket=True)


@pytest.mark.parametrize(
    ("text", "named", "rest"),
    [
        ("status:opened a@x.io b@x.io", BOTH, "status:opened"),
        ("a@x.io,b@x.io –status:paid Ana", BOTH, "-status:paid Ana"),
        ('"a@x.io" (b@x.io) -"Ana B"', BOTH, '-"Ana B"'),
        ("A@x.io b@x.io -c@x.io sender:d@x.io", BOTH, "-c@x.io sender:d@x.io"),
        (f"{ID} batch:{OTHER}", one(ids=(ID,)), f"batch:{OTHER}"),
        (f"-{ID} -{LINK}", PastedIdentifiers(), f"-{ID} -{LINK}"),
        ("status:opened a@x.io", one(emails=("a@x.io",)), "status:opened"),
        ("Ana <a@x.io>—status:opened x", PastedIdentifiers(emails=("a@x.io",)), ""),
        ("x@acme.example—please -Ana", PastedIdentifiers(emails=("x@acme.example",)), "-Ana"),
        ("-a@x.io", PastedIdentifiers(), "-a@x.io"),
        ("sender:a@x.io", PastedIdentifiers(), "sender:a@x.io"),
        ("a@x.io -b@x.io", one(emails=("a@x.io",)), "-b@x.io"),
    ],
)
def test_a_search_may_name_several_things_and_say_more(text, named, rest):
    assert split_identifiers_and_terms(text) == (named, rest)
    assert not recognize_identifiers(text).is_ticket


@pytest.mark.parametrize(
    "text",
    [
        "a@x.io b@x.io",
        "where are those of a@x.io and b@x.io?",
        "Status: opened\nSender: a@x.io\nbatch:1a2b of b@x.io",
        "- a@x.io - b@x.io -- Ana",
        "-a@x.io\n-b@x.io",
        "12:30 https://x.io a@x.io re:status b@x.io",
        f"status:opened a@x.io b@x.io {'x' * MAX_SEARCH_BYTES}",
    ],
)
def test_a_ticket_is_no_search(text):
    assert split_identifiers_and_terms(text) == (BOTH, "")


@pytest.mark.parametrize(
    "text", ["", "ana -bo", "ABCD -EFGH 2345 -6789 IJKL MNOP", "Ana <a@x.io>", "ref: a@x.io (old)"]
)
def test_without_a_search_nothing_is_taken_apart(text):
    assert split_identifiers_and_terms(text) == (recognize_identifiers(text), "")


def test_a_long_text_is_a_ticket_whatever_it_names():
    assert not recognize_identifiers("x" * MAX_SEARCH_BYTES).is_ticket
    assert recognize_identifiers("x" * (MAX_SEARCH_BYTES + 1)).is_ticket
    assert recognize_identifiers(f"a@x.io{' ' * MAX_SEARCH_BYTES}") == PastedIdentifiers(
        emails=("a@x.io",), is_single=True, is_ticket=True
    )


@pytest.mark.parametrize(("letter", "most"), [("x", 500), ("é", 250), ("語", 166), ("🎁", 125)])
def test_bytes_are_counted(letter, most):
    """A non-ASCII byte has five characters in a URL after encoding it twice."""
    assert not recognize_identifiers(letter * most).is_ticket
    assert recognize_identifiers(letter * (most + 1)).is_ticket


def test_a_whole_ticket():
    ticket = f"""\
From: "Ana Bolena" <Ana.Bolena@example.com>
Re: gift {ID.hex.upper()} was never opened, receipt: {REFERENCE.lower()}

> On 12 Oct, bo@example.com wrote: see {LINK}.
> and https://dashboard.example.test/orders/{OTHER}/ (ref ABCD-EFGH-2345-6789-IJKL-MNOQ)
Phone 555 0100 1234, order 12345. ana.bolena@example.com
"""
    assert recognize_identifiers(ticket) == PastedIdentifiers(
        ids=(ID, OTHER),
        references=(REFERENCE, "ABCDEFGH23456789IJKLMNOQ"),
        emails=("ana.bolena@example.com", "bo@example.com"),
        gift_tokens=("TESTTOKEN01",),
        is_ticket=True,
    )
    assert recognize_identifiers(ticket).count == 7


def test_a_row_of_a_table_without_spaces():
    row = f"{ID},ana@example.com,{LINK},{REFERENCE};{OTHER}"
    assert recognize_identifiers(row) == PastedIdentifiers(
        ids=(ID, OTHER),
        references=(REFERENCE,),
        emails=("ana@example.com",),
        gift_tokens=("TESTTOKEN01",),
        is_ticket=True,
    )


@given(st.lists(st.uuids(), max_size=20, unique=True), st.sampled_from([" ", "\n", ",", "; ", "|"]))
@few
def test_every_id_of_a_list_is_found_in_its_order(ids, gap):
    assert recognize_identifiers(gap.join(map(str, ids))).ids == tuple(ids)


@given(st.text(st.characters(), max_size=60), st.text(st.characters(), max_size=60))
@few
def test_identifier_is_found_with_any_text_around_it(before, after):
    pasted = recognize_identifiers(f"{before} {ID} \n {REFERENCE}\t{LINK} a@x.io {after}")
    assert ID in pasted.ids
    assert REFERENCE in pasted.references
    assert "a@x.io" in pasted.emails
    assert "TESTTOKEN01" in pasted.gift_tokens
    assert pasted.is_ticket
    assert not pasted.is_single


@pytest.mark.parametrize(
    "unit",
    ["a", "a.", "@", "a@", "a@b", "a@b.", "-", "'", "/gift/", "x/gift/abcdefg ", "0123abcd-",
     "0123abcd", "ABCD ", "abc2 ", "ABC-", f"{ID} ", f"{ID}-", "%2F", "https://", "https://\ufffc",
     "\ufffc", "\ufffc.", "mailto:", "\ufdfa", "\0", "\u202e", "a\u0301", "(", "x@y.zz)"],
)  # fmt: skip
def test_long_text_is_parsed_in_linear_time(unit):
    assert_fast((unit * 100_000)[:100_000])


@pytest.mark.parametrize(
    ("start", "unit"),
    [
        ("https://x", "/v3/__"),
        ("", "ref: "),
        ("ref:", "A1-"),
        ("receipt", " "),
        ("", '"a'),
        ("", '"a"@'),
        ("https://x.mimecast.com", "/s"),
        ("https://x.mimecast.com/s/abcd?", "domain=a.&"),
        ("https://x.mimecast.com/s/abcd?domain=", "ongoody.com."),
        ("https://x", "/v3/__a__;"),
        ("https://x/v3/__", "**A"),
        ("https://x/", "https://"),
        ("https://x/?", "https%3a"),
        ("https://x/?https%", "25"),
        ("https://x/?u=", "aHR0c"),
        ("https://x/?u=aHR0c", "HM6Ly94Lw"),
        ("https://x/", "a@b.cd/"),
        ("https://x/", f"{ID}/"),
        ("https://x/gift/", "abcdef/gift/"),
        ("mailto:", "%25"),
        ("mailto:a@b.cd?", "cc=a@b.cd&"),
        ("a@b.", "和"),
        ("", "a@b.c和"),
        ("", "a和@"),
        ("和", "a"),
        ("", "a\u200b"),
        ("", "a@b.cd\u200b"),
        ("", "{a@b.cd"),
    ],
)
def test_long_link_is_parsed_in_linear_time(start, unit):
    assert_fast((start + unit * 100_000)[:100_000])


def assert_fast(text):
    started = process_time()
    recognize_identifiers(text)
    # At most a fifth of it; anything quadratic takes minutes.
    assert process_time() - started < 1


def test_a_quoted_address_may_have_spaces():
    quoted = '"Ana  B."@x.example'
    assert recognize_identifiers(quoted) == one(emails=('"ana b."@x.example',))
    assert recognize_identifiers(f"to {quoted}, or bo@x.example").emails == (
        fold_text(quoted),
        "bo@x.example",
    )


def test_text_beyond_the_limit_is_ignored():
    assert recognize_identifiers("x" * 200_000 + f" {ID}").ids == ()
