"""The sentences about a write: true for its state, without unsupported claims."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from orders.audit import Action
from orders.models import Operation, State
from orders.outcome_message import OutcomeMessage, Tone
from orders.outcomes import outcome_message

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
CANCEL, EXTEND = Action.ORDER_CANCEL, Action.ORDER_EXTEND


def message_for(
    action: Action, state: State, *, now: datetime = NOW, **fields: Any
) -> OutcomeMessage:
    dates = {
        "expiration": datetime(2026, 12, 24, 18, 0, tzinfo=UTC),
        "expires_before": datetime(2026, 7, 1, 10, 0, tzinfo=UTC),
    }
    given = {**(dates if action == EXTEND else {}), **fields}
    return outcome_message(Operation(action=action, state=state, **given), now=now, zone=BERLIN)


# What may lie behind each state: every combination the services store.
KINDS: dict[State, list[dict[str, Any]]] = {
    State.PLANNED: [{}],
    State.WAITING: [{}],
    State.SENDING: [{}],
    State.UNKNOWN: [
        {"failure_kind": "deadline", "detail": "Goody did not answer in time"},
        {"failure_kind": "lease"},
        {"failure_kind": "contradiction", "detail": "Goody's answer contradicts the request."},
    ],
    State.NEEDS_HUMAN: [{"failure_kind": "deadline"}, {"failure_kind": "contradiction"}],
    State.APPLIED: [
        {"confirmed_at": NOW},
        {"effect_seen_at": NOW, "sent_at": NOW},
        {"confirmed_at": NOW, "contradicted_at": NOW, "contradiction": {"status": "notified"}},
        {"failure_kind": "by_hand", "detail": "Lea recorded this."},
        {"failure_kind": "by_hand", "detail": "Lea recorded this.", "effect_seen_at": NOW},
    ],
    State.REFUSED: [
        {"failure_kind": kind, "detail": "Some sentence."}
        for kind in ("ended", "accepted", "unknown_status", "moved", "rejected", "forbidden")
    ]
    + [{"failure_kind": kind} for kind in ("key_rejected", "not_found")]
    + [{"failure_kind": "rate_limited", "detail": (NOW + timedelta(minutes=5)).isoformat()}],
    State.NOT_SENT: [
        {"failure_kind": kind, "detail": "the reason"}
        for kind in ("dns", "connect", "tls", "lease", "not_configured", "slots", "slow")
    ],
    State.NOT_APPLIED: [
        {"after": {"status": "notified"}},
        {"after": {"status": "accepted"}},
        {"failure_kind": "by_hand", "detail": "Lea recorded this."},
    ],
    State.SUPERSEDED: [{"after": {"expires_at": "2027-01-01T00:00:00+00:00"}}],
}
EVERY = [
    (action, state, fields)
    for action in (CANCEL, EXTEND)
    for state, kinds in KINDS.items()
    for fields in kinds
    if not (action == CANCEL and state == State.SUPERSEDED)
]


def test_the_table_has_every_state() -> None:
    assert set(KINDS) == set(State)


@pytest.mark.parametrize(("action", "state", "fields"), EVERY)
def test_success_is_claimed_by_applied_alone(
    action: Action, state: State, fields: dict[str, Any]
) -> None:
    message = message_for(action, state, **fields)
    done = {CANCEL: "Canceled", EXTEND: "Expiration changed"}[action]
    is_recorded_by_hand_only = "failure_kind" in fields and "effect_seen_at" not in fields
    is_applied = (
        state == State.APPLIED and "contradicted_at" not in fields and not is_recorded_by_hand_only
    )
    assert (message.title == done) == is_applied
    assert (message.tone is Tone.GOOD) == is_applied
    claims = ("Canceled at Goody", "Goody confirmed")
    assert state == State.APPLIED or not any(claim in message.sentence for claim in claims)


@pytest.mark.parametrize(("action", "state", "fields"), EVERY)
def test_failure_is_claimed_only_where_it_is_certain(
    action: Action, state: State, fields: dict[str, Any]
) -> None:
    message = message_for(action, state, **fields)
    certain = (State.REFUSED, State.NOT_SENT, State.NOT_APPLIED)
    assert state in certain or not message.title.startswith("Not ")
    unsent = (State.PLANNED, State.WAITING, State.REFUSED, State.NOT_SENT)
    assert state in unsent or "Nothing was sent" not in message.sentence
    assert state != State.NOT_SENT or message.sentence.endswith("Nothing was sent.")


@pytest.mark.parametrize(("action", "state", "fields"), EVERY)
def test_final_and_pending_outcomes(action: Action, state: State, fields: dict[str, Any]) -> None:
    message = message_for(action, state, **fields)
    going_on = {State.PLANNED, State.WAITING, State.SENDING, State.UNKNOWN}
    assert (message.tone is Tone.BUSY) == (state in going_on)
    assert message.is_final == (state not in going_on | {State.NEEDS_HUMAN})
    assert message.sentence.endswith((".", "!", "?"))
    assert ".." not in message.sentence


def test_a_canceled_gift_is_not_called_not_canceled() -> None:
    message = message_for(
        CANCEL, State.REFUSED, failure_kind="ended", detail="It is already canceled."
    )
    assert message.title == "Already canceled or failed"
    message = message_for(CANCEL, State.REFUSED, failure_kind="rejected", detail="Already canceled")
    assert (message.title, message.sentence) == (
        "Refused by Goody",
        "Goody refused: Already canceled.",
    )


def test_a_cancel_confirmed_by_goody_and_one_found_by_reading_differ() -> None:
    assert message_for(CANCEL, State.APPLIED, confirmed_at=NOW).sentence == "Goody confirmed it."
    by_read = {"sent_at": NOW, "effect_seen_at": NOW + timedelta(minutes=2)}
    perhaps = (
        "Canceled at Goody since 22 Nov 2026, 13:02 CET at the latest, perhaps by our request of "
        "22 Nov 2026, 13:00 CET, perhaps by somebody else."
    )
    assert message_for(CANCEL, State.APPLIED, unknown_at=NOW, **by_read).sentence == perhaps
    for state in (State.NOT_APPLIED, State.REFUSED):
        later = message_for(CANCEL, state, **by_read)
        assert (later.title, later.sentence) == ("Canceled at Goody", perhaps)


def test_recorded_outcome_is_described_as_recorded_until_a_read() -> None:
    by_hand = {"failure_kind": "by_hand", "detail": "Lea looked at Goody's own page."}
    only_recorded = message_for(CANCEL, State.APPLIED, **by_hand)
    assert (only_recorded.tone, only_recorded.title) == (Tone.NEUTRAL, "Marked as canceled")
    assert only_recorded.sentence == (
        "Lea looked at Goody's own page. No read of the order has shown it yet."
    )
    shown = message_for(CANCEL, State.APPLIED, effect_seen_at=NOW, **by_hand)
    assert (shown.title, shown.sentence) == ("Canceled", "Lea looked at Goody's own page.")
    contradicted = {"contradicted_at": NOW, "contradiction": {"status": "notified"}}
    denied = message_for(CANCEL, State.APPLIED, **by_hand, **contradicted)
    assert (denied.tone, denied.title) == (
        Tone.BAD,
        "Marked as canceled, but a read did not show it",
    )
    assert denied.sentence == (
        "Lea looked at Goody's own page. But a read at 22 Nov 2026, 13:00 CET showed the order as "
        "“Notified”. Somebody else may have changed it since."
    )


@pytest.mark.parametrize(
    ("fields", "sentence", "next_step"),
    [
        (
            {"after": {"status": "opened"}},
            "Goody gave no clear answer. The order was read again several times, "
            "and the change did not arrive.",
            "You may try again.",
        ),
        (
            {"after": {"status": "accepted"}},
            "Goody gave no clear answer. A later read showed the order as “Accepted”.",
            "Look at the order.",
        ),
        ({"failure_kind": "by_hand", "detail": "Lea saw it."}, "Lea saw it.", "You may try again."),
    ],
)
def test_not_applied_says_how_it_was_found_out(
    fields: dict[str, Any], sentence: str, next_step: str
) -> None:
    assert message_for(CANCEL, State.NOT_APPLIED, **fields) == OutcomeMessage(
        Tone.NEUTRAL, "Not canceled", sentence, next_step, True
    )


def test_times_name_the_zone_of_the_viewer() -> None:
    assert message_for(EXTEND, State.APPLIED, confirmed_at=NOW).sentence == (
        "Changed from 1 Jul 2026, 12:00 CEST to 24 Dec 2026, 19:00 CET."
    )
    assert message_for(EXTEND, State.APPLIED, confirmed_at=NOW, expires_before=None).sentence == (
        "Changed from no expiration to 24 Dec 2026, 19:00 CET."
    )
    after = {"expires_at": "2027-01-01T00:00:00+00:00"}
    assert message_for(EXTEND, State.SUPERSEDED, after=after).sentence == (
        "A later read showed 1 Jan 2027, 01:00 CET: neither what it was (1 Jul 2026, 12:00 CEST) "
        "nor what was asked for (24 Dec 2026, 19:00 CET)."
    )
    accepted = {"after": {"accepted_at": "2026-11-22T11:02:00+00:00"}}
    assert message_for(CANCEL, State.REFUSED, failure_kind="accepted", **accepted).sentence == (
        "The recipient accepted it at 22 Nov 2026, 12:02 CET. Nothing was sent."
    )


@pytest.mark.parametrize(
    ("minutes", "sentence", "next_step"),
    [
        (5, "Goody asks us to wait until 13:05:00 CET.", "Try again after that."),
        (-5, "Goody asked us to wait until 12:55:00 CET.", "You may try again."),
    ],
)
def test_a_wait_requested_by_goody(minutes: int, sentence: str, next_step: str) -> None:
    until = (NOW + timedelta(minutes=minutes)).isoformat()
    message = message_for(CANCEL, State.REFUSED, failure_kind="rate_limited", detail=until)
    assert (message.title, message.sentence, message.next_step) == (
        "Not canceled",
        sentence,
        next_step,
    )


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("dns", "Goody is unreachable. Nothing was sent."),
        ("connect", "Goody is unreachable. Nothing was sent."),
        ("tls", "The secure connection to Goody failed. Nothing was sent."),
        ("lease", "The attempt was interrupted before anything left. Nothing was sent."),
        ("not_configured", "The connection to Goody is not set up. Nothing was sent."),
        ("breaker", "Goody failed repeatedly. Nothing was sent."),
    ],
)
def test_why_nothing_was_sent(kind: str, sentence: str) -> None:
    message = message_for(
        CANCEL, State.NOT_SENT, failure_kind=kind, detail="Goody failed repeatedly"
    )
    assert (message.title, message.sentence) == ("Not canceled", sentence)


def test_operation_that_needs_a_person_is_not_described_as_unread() -> None:
    """Reads that settle nothing lead here as well as reads that fail."""
    waiting = message_for(CANCEL, State.NEEDS_HUMAN, failure_kind="deadline", reads=9)
    assert waiting.sentence == "No read of the order has settled the outcome."


@pytest.mark.parametrize("kind", ["unknown_status", "not_found"])
def test_unknown_order_state_is_not_claimed(kind: str) -> None:
    """An unknown status may be a new word for canceled."""
    refused = message_for(CANCEL, State.REFUSED, failure_kind=kind, detail="Some sentence.")
    assert refused.title == "This attempt was not carried out"
