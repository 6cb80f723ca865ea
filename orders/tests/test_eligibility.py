"""Whether an order may be canceled or extended, and the sentence that says why not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from goody.types import ORDER_STATUSES
from orders.eligibility import (
    Eligibility,
    ExpiryKind,
    cents_released_by_cancel,
    check_expiration,
    classify_expiry,
    compare_snapshots,
    is_same_second,
    may_cancel,
    may_extend,
    order_snapshot,
)
from orders.presenters.order_head import support_message_text
from testing.domain import ORDER_ID, order, order_json

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ASK = "Ask Goody support (support@ongoody.com): “Copy hand-off” on its page copies what they need."

# status -> code, and why not, as the sentence ends
EXPECTED = {
    "created": ("open", ""),
    "notified": ("open", ""),
    "opened": ("open", ""),
    "accepted": ("accepted", "the recipient accepted it."),
    "pending_payment": ("accepted", "it is accepted, payment pending."),
    "paid": ("accepted", "it is being prepared."),
    "ordered": ("accepted", "it is being prepared."),
    "shipped": ("accepted", "it has been shipped."),
    "delivered": ("accepted", "it has been delivered."),
    "failed": ("ended", "it is already canceled or failed."),
    "canceled": ("ended", "it is already canceled."),
    "on_hold": ("unknown_status", "Goody reports a status that this dashboard does not know."),
    "Notified": ("unknown_status", "Goody reports a status that this dashboard does not know."),
}
# Why not, in a row of a list.
WORDS = {
    "accepted": "Accepted",
    "pending_payment": "Accepted",
    "paid": "In preparation",
    "ordered": "In preparation",
    "shipped": "On its way",
    "delivered": "Delivered",
    "failed": "Ended",
    "canceled": "Ended",
}
NEXT = {"accepted": ASK, "unknown_status": "Look at the order on Goody's own page."}


def test_every_documented_status_is_in_the_table() -> None:
    assert set(ORDER_STATUSES) == set(EXPECTED) - {"on_hold", "Notified"}


@pytest.mark.parametrize("status", EXPECTED)
@pytest.mark.parametrize(("ask", "done"), [(may_cancel, "canceled"), (may_extend, "extended")])
def test_eligibility_in_every_status(status: str, ask: Any, done: str) -> None:
    code, why = EXPECTED[status]
    if code == "open":
        expected = Eligibility(True, "open", f"Can be {done}: it has not been accepted.")
    else:
        sentence, word = f"Cannot be {done}: {why}", WORDS.get(status, "Unknown status")
        expected = Eligibility(False, code, sentence, NEXT.get(code, ""), word)
    assert ask(order(status=status), now=NOW) == expected


def test_an_expired_gift_can_be_canceled_and_extended_with_a_warning() -> None:
    expired = order(expires_at="2026-11-22T12:00:00Z")
    assert may_cancel(expired, now=NOW).code == "open"
    eligibility = may_extend(expired, now=NOW)
    assert (eligibility.is_allowed, eligibility.code) == (True, "expired")
    assert "Goody does not say whether that revives a gift" in eligibility.sentence
    assert may_extend(expired, now=NOW - timedelta(seconds=1)).code == "open"


def test_unreadable_expiration_is_not_treated_as_none() -> None:
    eligibility = may_extend(order(expires_at="soon"), now=NOW)
    assert (eligibility.is_allowed, eligibility.code) == (False, "unreadable")
    assert may_cancel(order(expires_at="soon"), now=NOW).is_allowed


@pytest.mark.parametrize(
    ("status", "at", "kind"),
    [
        ("notified", None, ExpiryKind.NONE),
        ("notified", NOW, ExpiryKind.PAST),
        ("notified", NOW + timedelta(seconds=1), ExpiryKind.SOON),
        ("notified", NOW + timedelta(hours=72), ExpiryKind.FUTURE),
        ("notified", NOW + timedelta(hours=72, seconds=-1), ExpiryKind.SOON),
        ("accepted", NOW + timedelta(hours=1), ExpiryKind.IRRELEVANT),
        ("failed", NOW - timedelta(hours=1), ExpiryKind.IRRELEVANT),
        ("on_hold", NOW - timedelta(hours=1), ExpiryKind.PAST),
    ],
)
def test_expiry_does_not_depend_on_the_status(
    status: str, at: datetime | None, kind: ExpiryKind
) -> None:
    text = at.isoformat() if at else None
    found = classify_expiry(order(status=status, expires_at=text), NOW)
    assert (found.kind, found.at) == (kind, at)


CURRENT = NOW + timedelta(days=10)


@pytest.mark.parametrize(
    ("current", "wanted", "tick", "code"),
    [
        (CURRENT, NOW, False, "past"),
        (CURRENT, NOW, True, "past"),
        (CURRENT, NOW + timedelta(seconds=1), False, "shortens"),
        (CURRENT, NOW + timedelta(seconds=1), True, "ok"),
        (CURRENT, CURRENT, True, "same"),
        (CURRENT, CURRENT + timedelta(milliseconds=999), True, "same"),
        (CURRENT, CURRENT + timedelta(seconds=1), False, "ok"),
        (CURRENT, NOW + timedelta(days=365), False, "ok"),
        (CURRENT, NOW + timedelta(days=365, seconds=1), True, "too_far"),
        (None, CURRENT, False, "sets_a_date"),
        (None, CURRENT, True, "ok"),
        (NOW - timedelta(days=1), CURRENT, False, "ok"),
    ],
)
def test_bounds_and_confirmations_of_an_expiration(
    current: datetime | None, wanted: datetime, tick: bool, code: str
) -> None:
    given = order(expires_at=current.isoformat() if current else None)
    eligibility = check_expiration(given, wanted, now=NOW, may_shorten=tick, max_days=365)
    assert (eligibility.is_allowed, eligibility.code) == (code == "ok", code)
    assert bool(eligibility.sentence) == (code != "ok")


def test_a_naive_expiration_is_a_bug() -> None:
    with pytest.raises(ValueError, match="time zone"):
        check_expiration(
            order(),
            datetime(2026, 12, 1),  # noqa: DTZ001 - naive on purpose
            now=NOW,
            may_shorten=True,
            max_days=365,
        )


def test_seconds_are_compared_whatever_the_zone_and_fraction() -> None:
    plain = datetime(2026, 12, 1, 12, 0, 0, tzinfo=UTC)
    elsewhere = datetime.fromisoformat("2026-12-01T13:00:00.750+01:00")
    assert is_same_second(plain, elsewhere)
    assert not is_same_second(plain, plain + timedelta(seconds=1))
    assert is_same_second(None, None)
    assert not is_same_second(None, plain)


def test_snapshots_omit_other_fields() -> None:
    assert order_snapshot(order()) == {
        "status": "notified",
        "expires_at": "2099-01-01T00:00:00+00:00",
        "recipient": ["Mira Okafor", "mira@example.com"],
        "cart": [[2, "Tea"]],
        "amounts": [1842, None, None],
    }
    assert order_snapshot(order(view_count_recipient=7, message="Hello")) == order_snapshot(order())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "opened"}, "Status: Notified → Opened"),
        ({"expires_at": None}, "Expiration: 1 Jan 2099, 00:00 UTC → none"),
        (
            {"expires_at": "2099-01-02T03:04:05+02:00"},
            "Expiration: 1 Jan 2099, 00:00 UTC → 2 Jan 2099, 01:04 UTC",
        ),
        (
            {"recipient_email": "m@example.com"},
            "Recipient: Mira Okafor mira@example.com → Mira Okafor m@example.com",
        ),
        (
            {"recipient_first_name": None, "recipient_last_name": None, "recipient_email": None},
            "Recipient: Mira Okafor mira@example.com → none",
        ),
        (
            {"cart": {"items": [{"quantity": 1, "product": {"name": "Tea"}}, {"quantity": 3}]}},
            "Gift: 2 × Tea → 1 × Tea, 3 × unnamed",
        ),
        ({"cart": None}, "Gift: 2 × Tea → none"),
        (
            {"amounts": {"amount_pre_tax_total": 1842, "amount_tax": 150}},
            "Amount: $18.42 before tax → $18.42 before tax, $1.50 tax",
        ),
        (
            {"amounts": {"amount_pre_tax_total": 1842, "amount_tax": 150, "amount_total": 0}},
            "Amount: $18.42 before tax → $18.42 before tax, $1.50 tax, $0.00 in total",
        ),
        ({"amounts": None}, "Amount: $18.42 before tax → not known yet"),
    ],
)
def test_differences_in_words(change: dict[str, Any], words: str) -> None:
    found = compare_snapshots(order_snapshot(order()), order_snapshot(order(**change)))
    assert [str(one) for one in found] == [words]


def test_no_difference_and_a_form_that_lacks_everything() -> None:
    assert compare_snapshots(order_snapshot(order()), order_snapshot(order())) == []
    assert [one.label for one in compare_snapshots({}, order_snapshot(order()))] == [
        "Status",
        "Expiration",
        "Recipient",
        "Gift",
        "Amount",
    ]


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        (None, (None, True)),
        ({}, (None, True)),
        ({"amount_pre_tax_total": 1842}, (1842, True)),
        ({"amount_pre_tax_total": 1842, "amount_total": 2000}, (2000, False)),
        ({"amount_pre_tax_total": 1842, "amount_total": 0}, (0, False)),
    ],
)
def test_released_money(amounts: Any, expected: tuple[int | None, bool]) -> None:
    assert cents_released_by_cancel(order(amounts=amounts)) == expected


def test_support_message_names_the_order_and_no_person() -> None:
    text = support_message_text(order(status="accepted"), now=NOW)
    assert text.splitlines()[3:6] == [
        "Receipt reference: ABCDEFGHIJKLMNOPQRSTUVWX",
        f"Order id: {ORDER_ID}",
        "Status: accepted",
    ]
    assert order_json()["recipient_email"] not in text
    unknown = support_message_text(order(status="accepted", reference_id=None), now=NOW)
    assert "Receipt reference: unknown" in unknown
