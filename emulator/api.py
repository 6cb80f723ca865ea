"""Goody's own routes under /v1: authentication, parameters, envelopes.

The rules of the two writes stand in store.py. Not here, and not in this emulator yet: batches,
cards, products, payment methods, webhooks.
"""

import hmac
import re
from http import HTTPStatus
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from emulator.clock import read_instant
from emulator.feed import SHOWN_AS
from emulator.ids import is_uuid
from emulator.messages import Answer, Request, answer, error
from emulator.render import Json
from emulator.store import RefusalError, Store

PER_PAGE, MAX_PER_PAGE = 20, 100
# The last of them is in Goody's enumeration and never happens here.
ACTIVITY_STATUSES = {*SHOWN_AS.values(), "pending_user_approval"}
NOWHERE = "/v1/..."
_INTEGER = re.compile("-?[0-9]{1,100}")

ROUTES = Map(
    [
        Rule("/v1/me", methods=["GET"], endpoint="me"),
        Rule("/v1/workspaces", methods=["GET"], endpoint="workspaces"),
        Rule("/v1/orders", methods=["GET"], endpoint="orders"),
        Rule("/v1/order_activities", methods=["GET"], endpoint="order_activities"),
        Rule("/v1/orders/<order_id>", methods=["GET"], endpoint="order"),
        Rule("/v1/orders/<order_id>/cancel", methods=["POST"], endpoint="cancel"),
        Rule("/v1/orders/<order_id>/update_expiration", methods=["POST"], endpoint="expiration"),
    ],
    strict_slashes=True,
    merge_slashes=False,
    redirect_defaults=False,
)
_PATHS = ROUTES.bind("")


def pattern(request: Request) -> str:
    """The route's name for counting, e.g. "POST /v1/orders/{id}/cancel"."""
    try:
        rule, _ = _PATHS.match(request.path, request.method, return_rule=True)
    except HTTPException:
        return f"{request.method} {NOWHERE}"
    return f"{request.method} {rule.rule.replace('<order_id>', '{id}')}"


class Api:
    """Answers requests from a store; every answer is JSON."""

    def __init__(self, store: Store, *, key: str) -> None:
        self._store = store
        self._key = f"Bearer {key}".encode()

    def respond(self, request: Request) -> Answer:
        """The honest answer. 401 comes before everything else."""
        given = request.headers.get("authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._key):
            return error(401, "Unauthorized")
        try:
            endpoint, values = _PATHS.match(request.path, request.method)
        except HTTPException as problem:
            return error(problem.code or 404, problem.name)
        try:
            found: Answer = getattr(self, f"_{endpoint}")(request, **values)
        except RefusalError as refusal:
            return error(refusal.status, refusal.sentence, entry=refusal.entry)
        return found

    def _me(self, _request: Request) -> Answer:
        if self._store.switches["key_type"] == "commerce":
            return answer({"email": None, "public_app_id": "emulated-app"})
        return answer({"email": "support@sender.example.com", "public_app_id": None})

    def _workspaces(self, _request: Request) -> Answer:
        workspaces = self._store.renderer.workspaces
        return answer({"data": workspaces, "list_meta": {"total_count": len(workspaces)}})

    def _orders(self, request: Request) -> Answer:
        args = request.args()
        per_page, page = self._per_page(args), self._page(args)
        rows, total = self._store.page(
            after=self._instant(args, "created_at[after]"),
            before=self._instant(args, "created_at[before]"),
            skip=(page - 1) * per_page,
            count=per_page,
        )
        return self._listing(rows, total, page=page)

    def _order_activities(self, request: Request) -> Answer:
        if self._store.switches["activities"] != "on":
            status = int(self._store.switches["activities"])
            raise RefusalError(status, HTTPStatus(status).phrase)
        args = request.args()
        per_page, page = self._per_page(args), self._page(args)
        rows, total = self._store.activities(
            after=self._instant(args, "after"),
            before=self._instant(args, "before"),
            statuses=self._statuses(args),
            skip=(page - 1) * per_page,
            count=per_page,
        )
        return self._listing(rows, total, page=page)

    def _listing(self, rows: list[Json], total: int, *, page: int) -> Answer:
        if not rows and page > 1 and self._store.switches["past_end"] != "empty":
            raise RefusalError(int(self._store.switches["past_end"]), "Page is out of range")
        return answer({"data": rows, "list_meta": {"total_count": total}})

    def _order(self, _request: Request, order_id: str) -> Answer:
        return answer(self._store.detail(self._row(order_id)))

    def _cancel(self, _request: Request, order_id: str) -> Answer:
        order, entry = self._store.cancel(self._row(order_id))
        return answer(order, entry=entry)

    def _expiration(self, request: Request, order_id: str) -> Answer:
        row = self._row(order_id)
        try:
            expires = self._wanted(request)
        except _NothingAskedError:
            return answer(self._store.row(row))
        order, entry = self._store.update_expiration(row, expires)
        return answer(order, entry=entry)

    def _row(self, order_id: str) -> int:
        if not is_uuid(order_id) and self._store.switches["malformed_id"] == "400":
            raise RefusalError(400, "Order id is invalid")
        return self._store.find(order_id)

    def _per_page(self, args: dict[str, str]) -> int:
        per_page = self._number(args, "per_page", PER_PAGE)
        if per_page < 1:
            self._refuse_if("per_page_zero", "Per page must be greater than 0")
            return PER_PAGE
        if per_page > MAX_PER_PAGE:
            self._refuse_if("per_page_over_100", "Per page must be at most 100")
        return min(per_page, MAX_PER_PAGE)

    def _page(self, args: dict[str, str]) -> int:
        page = self._number(args, "page", 1)
        if page < 1:
            self._refuse_if("page_zero", "Page must be greater than 0")
        return max(page, 1)

    def _number(self, args: dict[str, str], name: str, default: int) -> int:
        text = args.get(name, "")
        if not text:
            return default
        if _INTEGER.fullmatch(text) is None:
            self._refuse_if("page_not_a_number", f"{name} must be an integer")
            return default
        return int(text)

    def _instant(self, args: dict[str, str], name: str) -> float | None:
        text = args.get(name, "")
        if not text:
            return None
        try:
            return read_instant(text)
        except ValueError:
            self._refuse_if("bad_filter", f"{name} is not a date-time")
            return None

    def _statuses(self, args: dict[str, str]) -> set[str] | None:
        """What is asked of the feed; None for everything. An unknown status finds nothing."""
        if not args.get("statuses", ""):
            return None
        statuses = {name.strip() for name in args["statuses"].split(",")}
        if not statuses <= ACTIVITY_STATUSES:
            self._refuse_if("unknown_activity_status", "Statuses contain an unknown status")
        return statuses

    def _wanted(self, request: Request) -> int | None:
        """The expiration asked for, in whole seconds; None for never."""
        try:
            body = request.json()
        except ValueError as problem:
            raise RefusalError(400, "Body is not JSON") from problem
        if not isinstance(body, dict) or "expiration" not in body:
            raise self._unusable("missing_expiration", "Expiration can't be blank")
        return self._readable(body["expiration"])

    def _readable(self, value: Any) -> int | None:
        if value is None:
            if self._store.switches["null_expiration"] == "clear":
                return None
            raise self._unusable("null_expiration", "Expiration can't be blank")
        try:
            return int(read_instant(value if isinstance(value, str) else ""))
        except ValueError as problem:
            raise self._unusable("unreadable_expiration", "Expiration is invalid") from problem

    def _unusable(self, switch: str, sentence: str) -> Exception:
        position = self._store.switches[switch]
        return (
            _NothingAskedError() if position == "ignore" else RefusalError(int(position), sentence)
        )

    def _refuse_if(self, switch: str, sentence: str) -> None:
        if self._store.switches[switch] == "400":
            raise RefusalError(400, sentence)


class _NothingAskedError(Exception):
    """Answer 200 with the order as it stands."""
