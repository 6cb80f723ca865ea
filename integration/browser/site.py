"""The running dashboard for browser tests: its users, fresh orders and worker."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import msgspec
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import BrowserContext

from goody.types import parse_order
from orders import index
from orders.audit import record_intent
from orders.models import (
    ApiLimits,
    ItemState,
    Job,
    JobItem,
    JobState,
    Operation,
    Order,
    Profile,
)
from testing.processes import LiveApp
from testing.users import make_user
from testing.vendor import Emulator


class Site:
    """A dashboard at `url`, which calls the emulator."""

    def __init__(self, *, app: LiveApp, emulator: Emulator) -> None:
        self.app = app
        self.emulator = emulator
        self.url = app.url
        # The number of Goody's oldest orders that are in the index.
        self._indexed = 0

    def forget(self) -> None:
        """Remove faults, recorded calls and API limits, and end jobs; orders and the audit stay."""
        self.emulator.clear_faults()
        for what in ("calls", "ledger"):
            self.emulator.control("DELETE", what)
        ApiLimits.objects.all().delete()
        JobItem.objects.open().update(state=ItemState.NOT_RUN)
        Job.objects.filter(ended_at=None).update(state=JobState.STOPPED, ended_at=timezone.now())

    def log_in(self, context: BrowserContext, user: User, **profile: str) -> None:
        """Give the browser a session, as the login page does. `profile`: theme, time_zone, ...
        Settings that are not given get their defaults, whatever an earlier test has chosen.
        """
        Profile.objects.filter(user=user).delete()
        Profile.objects.create(user=user, **profile)
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        context.add_cookies(
            [
                {
                    "name": settings.SESSION_COOKIE_NAME,
                    "value": session.session_key,
                    "url": self.url,
                    "httpOnly": True,
                    "sameSite": "Lax",
                }
            ]
        )

    def end_session(self, context: BrowserContext) -> None:
        """Delete the session on the server; the browser keeps its cookie."""
        cookies = {one["name"]: one["value"] for one in context.cookies()}
        store = import_module(settings.SESSION_ENGINE).SessionStore
        store(cookies[settings.SESSION_COOKIE_NAME]).delete()

    def start_worker(self) -> None:
        self.app.start_worker()

    def end_worker(self) -> None:
        while self.app.workers:
            self.app.workers.pop().close()

    # --- orders ---

    def fill_index(self) -> None:
        """Add the orders that Goody has and the index does not, with their details."""
        missing = self.emulator.all_orders(start=self._indexed).values()
        orders = [parse_order(msgspec.json.encode(one)) for one in missing]
        index.upsert_orders(orders, read_at=timezone.now())
        self._indexed += len(orders)

    @staticmethod
    def person(role: str) -> User:
        return make_user(role)

    def open_order(self, name: str = "Ada", **fields: Any) -> str:
        """Return the id of a new order, first in the list, that may be canceled and extended."""
        given = {"status": "notified", "recipient_first_name": name, **fields}
        return str(self.emulator.create_orders(**given)[0]["id"])

    def known_order(self, name: str = "Ada", **fields: Any) -> str:
        """Like open_order, and the index has the order."""
        order_id = self.open_order(name, **fields)
        self.store(order_id)
        return order_id

    def store(self, order_id: str) -> None:
        """Store Goody's present order in the index."""
        order = parse_order(msgspec.json.encode(self.emulator.get_order(order_id)))
        index.upsert_orders([order], read_at=timezone.now())

    def empty_index(self) -> None:
        """Delete the orders from the index; `fill_index` adds all of them again."""
        Order.objects.all().delete()
        self._indexed = 0

    def order_on_page(self, number: int, *, size: int = 50) -> str:
        """Like open_order, with newer orders that move it to the middle of that page."""
        order_id = self.open_order()
        self.emulator.create_orders(count=(number - 1) * size + size // 2)
        return order_id

    def expiry(self, order_id: str) -> datetime:
        return moment(self.emulator.get_order(order_id)["expires_at"])

    def writes(self, order_id: str) -> list[str]:
        """The kinds of the writes that reached Goody's store for this order, oldest first."""
        entries = self.emulator.ledger(order_id=order_id)
        return [one["kind"] for one in entries if one["kind"] != "control" and one["applied"]]

    def state_of(self, order_id: str) -> str:
        """Return the state of the newest write of this order."""
        return Operation.objects.filter(order_uuid=order_id).latest("created_at").state

    def operation(self, order_id: str, **fields: Any) -> Operation:
        """Return a write as an ended process left it, with its intent in the audit."""
        now = timezone.now()
        actor = make_user("agent")
        made = Operation.objects.create(
            **{
                "order_uuid": UUID(order_id),
                "action": "order.cancel",
                "reason": "duplicate",
                "actor": actor,
                "actor_name": "Agent",
                "form_key": uuid4(),
                "created_at": now,
                "lease_until": now + timedelta(minutes=1),
                **fields,
            }
        )
        record_intent(made, request_id="browser")
        return made


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
