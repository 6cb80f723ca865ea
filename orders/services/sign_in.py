"""Limits sign-in attempts for each account and address, and records changes of one's own account.

An attempt is counted before its password is checked, so that simultaneous attempts in several
processes count as well. The wait grows with each failure.
"""

from __future__ import annotations

import hashlib
import ipaddress
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import F

from orders.audit import AccountEvent, record_account_event, record_security_event
from orders.models import SignInLimit
from orders.rights import Actor

# After so long without an attempt the failures are forgotten.
_FORGOTTEN_AFTER = timedelta(hours=1)
_LONGEST_WAIT = timedelta(minutes=5)
# How many failures cause no wait. Many people may share an address.
FREE_FOR_ACCOUNT = 3
FREE_FOR_ADDRESS = 20
_LOST_RACE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """An attempt to sign in as `username` from `address`."""

    username: str
    address: str

    @property
    def limit_keys(self) -> dict[str, int]:
        """Return the keys of the rows that limit the attempt, with the free failures of each."""
        name = unicodedata.normalize("NFKC", self.username).casefold()
        return {
            _digest(f"account:{name}"): FREE_FOR_ACCOUNT,
            _digest(f"address:{_network(self.address)}"): FREE_FOR_ADDRESS,
        }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _network(address: str) -> str:
    """Return the address; for IPv6, the /64 network that a single customer usually has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def wait_after_failures(failures: int, *, free: int) -> timedelta:
    """Return the wait: zero for the first `free` failures, then 1, 2, 4, 8 seconds and so on."""
    over = failures - free
    if over <= 0:
        return timedelta(0)
    return min(timedelta(seconds=2 ** min(over - 1, 20)), _LONGEST_WAIT)


def count_attempt(attempt: SignInAttempt, *, now: datetime) -> timedelta:
    """Count the attempt as a failure, and return the wait before the password may be checked.

    If it is zero, check the password, then call `record_successful_sign_in` or
    `record_failed_sign_in`.
    """
    limits = attempt.limit_keys
    stored = SignInLimit.objects.in_bulk(list(limits))
    wait = max((row.blocked_until - now for row in stored.values()), default=timedelta(0))
    # A wait that is longer than any that is ever set: the clock was set back.
    if timedelta(0) < wait <= _LONGEST_WAIT:
        return wait
    for key, free in limits.items():
        if not _count_failure(key, stored.get(key), free=free, now=now):
            return _LOST_RACE
    return timedelta(0)


def _count_failure(key: str, row: SignInLimit | None, *, free: int, now: datetime) -> bool:
    """Count a failure; return False if another process counted one at the same moment."""
    if row is None:
        _, is_new = SignInLimit.objects.get_or_create(
            key=key, defaults={"failures": 1, "last_at": now, "blocked_until": now}
        )
        return is_new
    is_old = now - row.last_at > _FORGOTTEN_AFTER
    failures = 1 if is_old else row.failures + 1
    same = SignInLimit.objects.filter(key=key, failures=row.failures, last_at=row.last_at)
    return bool(
        same.update(
            failures=failures,
            last_at=now,
            blocked_until=now + wait_after_failures(failures, free=free),
        )
    )


def forget_failures(attempt: SignInAttempt, *, now: datetime) -> None:
    """Forget the account's failures, and the one that this attempt counted for the address."""
    account, address = attempt.limit_keys
    SignInLimit.objects.filter(key=account).delete()
    SignInLimit.objects.filter(key=address, failures__gt=0).update(
        failures=F("failures") - 1, blocked_until=now
    )


def record_successful_sign_in(attempt: SignInAttempt, *, actor: Actor, now: datetime) -> None:
    """Forget the failures and record the sign-in."""
    forget_failures(attempt, now=now)
    record_account_event(actor, AccountEvent.SIGN_IN, detail=f"from {attempt.address}", now=now)


def record_failed_sign_in(attempt: SignInAttempt, *, request_id: str) -> None:
    """Record the failure. An unknown user name is left out, because it may be a password."""
    known = User.objects.filter(username=attempt.username).values_list("username", flat=True)
    name = known.first()
    whom = f"as {name}" if name else "with an unknown user name"
    record_security_event(
        "record_failed_sign_in", detail=f"{whom} from {attempt.address}", request_id=request_id
    )


def sign_out_everywhere(*, actor: Actor, now: datetime) -> int:
    """End all sessions of the actor and return their number."""
    sessions = [
        session.pk
        for session in Session.objects.filter(expire_date__gt=now).iterator()
        if session.get_decoded().get("_auth_user_id") == str(actor.user_id)
    ]
    Session.objects.filter(pk__in=sessions).delete()
    record_account_event(
        actor, AccountEvent.SIGN_OUT_EVERYWHERE, detail=f"sessions ended: {len(sessions)}", now=now
    )
    return len(sessions)


def record_password_change(*, actor: Actor, now: datetime) -> None:
    """Record that the actor chose another password."""
    record_account_event(actor, AccountEvent.PASSWORD_CHANGE, detail="own password", now=now)
