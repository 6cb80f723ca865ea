"""Goody's routes under /v1: authentication, parameters and envelopes.

Missing so far: batches, cards, products, payment methods and webhooks.
"""

import hmac
import re
from http import HTTPStatus
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from emulator.clock import parse_datetime
from emulator.feed import FEED_STATUSES
from emulator.ids import is_uuid
from emulator.messages import Json, Request, Response, error_response, json_response
from emulator.rules import ApiError
from emulator.store import OrderStore

_PER_PAGE, _MAX_PER_PAGE = 20, 100
# Goody documents the last one; it never occurs here.
_ACTIVITY_STATUSES = {*FEED_STATUSES.values(), "pending_user_approval"}
_INTEGER = re.compile("-?[0-9]{1,100}")

_ROUTES = Map(
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
_URLS = _ROUTES.bind("")


def route_name(request: Request) -> str:
    """Return the route for the call log: "POST /v1/orders/{id}/cancel" or "GET /v1/..."."""
    try:
        rule, _ = _URLS.match(request.path, request.method, return_rule=True)
    except HTTPException:
        return f"{request.method} /v1/..."
    return f"{request.method} {rule.rule.replace('<order_id>', '{id}')}"


class GoodyApi:
    """Answers requests from a store, in JSON."""

    def __init__(self, store: OrderStore, *, key: str) -> None:
        self._store = store
        self._switches = store.switches
        self._authorization = f"Bearer {key}".encode()

    def respond(self, request: Request) -> Response:
        """Return the response without any fault. A 401 takes precedence over other errors."""
        given = request.headers.get("authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._authorization):
            return error_response(401, "Unauthorized")
        try:
            endpoint, values = _URLS.match(request.path, request.method)
        except HTTPException as error:
            return error_response(error.code or 404, error.name)
        try:
            response: Response = getattr(self, f"_{endpoint}")(request, **values)
        except ApiError as error:
            return error_response(error.status, error.message, entry=error.entry)
        return response

    def _me(self, _request: Request) -> Response:
        if self._switches["key_type"] == "commerce":
            return json_response({"email": None, "public_app_id": "emulated-app"})
        return json_response({"email": "support@sender.example.com", "public_app_id": None})

    def _workspaces(self, _request: Request) -> Response:
        workspaces = self._store.renderer.workspaces
        return json_response({"data": workspaces, "list_meta": {"total_count": len(workspaces)}})

    def _orders(self, request: Request) -> Response:
        args = request.args()
        per_page, page = self._per_page(args), self._page(args)
        rows, total = self._store.list_orders(
            after=self._datetime(args, "created_at[after]"),
            before=self._datetime(args, "created_at[before]"),
            skip=(page - 1) * per_page,
            count=per_page,
        )
        return self._list(rows, total, page=page)

    def _order_activities(self, request: Request) -> Response:
        if self._switches["activities"] != "on":
            status = int(self._switches["activities"])
            raise ApiError(status, HTTPStatus(status).phrase)
        args = request.args()
        per_page, page = self._per_page(args), self._page(args)
        rows, total = self._store.list_activities(
            after=self._datetime(args, "after"),
            before=self._datetime(args, "before"),
            statuses=self._statuses(args),
            skip=(page - 1) * per_page,
            count=per_page,
        )
        return self._list(rows, total, page=page)

    def _list(self, rows: list[Json], total: int, *, page: int) -> Response:
        if not rows and page > 1 and self._switches["past_end"] != "empty":
            raise ApiError(int(self._switches["past_end"]), "Page is out of range")
        return json_response({"data": rows, "list_meta": {"total_count": total}})

    def _order(self, _request: Request, order_id: str) -> Response:
        return json_response(self._store.render_order_detail(self._find(order_id)))

    def _cancel(self, _request: Request, order_id: str) -> Response:
        order, entry = self._store.cancel_order(self._find(order_id))
        return json_response(order, entry=entry)

    def _expiration(self, request: Request, order_id: str) -> Response:
        index = self._find(order_id)
        try:
            expires = self._requested_expiration(request)
        except _IgnoredError:
            return json_response(self._store.render_order(index))
        order, entry = self._store.update_expiration(index, expires)
        return json_response(order, entry=entry)

    def _find(self, order_id: str) -> int:
        if not is_uuid(order_id) and self._switches["malformed_id"] == "400":
            raise ApiError(400, "Order id is invalid")
        return self._store.find_row(order_id)

    def _per_page(self, args: dict[str, str]) -> int:
        per_page = self._integer(args, "per_page", _PER_PAGE)
        if per_page < 1:
            self._reject_if("per_page_zero", "Per page must be greater than 0")
            return _PER_PAGE
        if per_page > _MAX_PER_PAGE:
            self._reject_if("per_page_over_100", "Per page must be at most 100")
        return min(per_page, _MAX_PER_PAGE)

    def _page(self, args: dict[str, str]) -> int:
        page = self._integer(args, "page", 1)
        if page < 1:
            self._reject_if("page_zero", "Page must be greater than 0")
        return max(page, 1)

    def _integer(self, args: dict[str, str], name: str, default: int) -> int:
        text = args.get(name, "")
        if not text:
            return default
        if _INTEGER.fullmatch(text) is None:
            self._reject_if("page_not_a_number", f"{name} must be an integer")
            return default
        return int(text)

    def _datetime(self, args: dict[str, str], name: str) -> float | None:
        text = args.get(name, "")
        if not text:
            return None
        try:
            return parse_datetime(text)
        except ValueError:
            self._reject_if("bad_filter", f"{name} is not a date-time")
            return None

    def _statuses(self, args: dict[str, str]) -> set[str] | None:
        """Return the statuses filter of the feed; None without one."""
        if not args.get("statuses", ""):
            return None
        statuses = {name.strip() for name in args["statuses"].split(",")}
        if not statuses <= _ACTIVITY_STATUSES:
            self._reject_if("unknown_activity_status", "Statuses contain an unknown status")
        return statuses

    def _requested_expiration(self, request: Request) -> int | None:
        """Return the expiration in Unix seconds; None: never. Raises ApiError, _IgnoredError."""
        try:
            body = request.json()
        except ValueError as error:
            raise ApiError(400, "Body is not JSON") from error
        if not isinstance(body, dict) or "expiration" not in body:
            raise self._invalid("missing_expiration", "Expiration can't be blank")
        return self._parse_expiration(body["expiration"])

    def _parse_expiration(self, value: Any) -> int | None:
        if value is None:
            if self._switches["null_expiration"] == "clear":
                return None
            raise self._invalid("null_expiration", "Expiration can't be blank")
        try:
            return int(parse_datetime(value if isinstance(value, str) else ""))
        except ValueError as error:
            raise self._invalid("unreadable_expiration", "Expiration is invalid") from error

    def _invalid(self, switch: str, message: str) -> Exception:
        value = self._switches[switch]
        return _IgnoredError() if value == "ignore" else ApiError(int(value), message)

    def _reject_if(self, switch: str, message: str) -> None:
        if self._switches[switch] == "400":
            raise ApiError(400, message)


class _IgnoredError(Exception):
    """The request is ignored: the answer is 200 with the unchanged order."""
