"""The control routes under /_emulator/ for tests and people. JSON in and out, no authentication."""

from collections.abc import Sequence

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from emulator.clock import LATEST, format_datetime, parse_datetime
from emulator.emulator_state import EmulatorState
from emulator.messages import Json, Request, Response, error_response, json_response
from emulator.order_columns import COMMERCE, DIRECT, HOSTILE, HOUR, SWAPPED, THANKED
from emulator.random_changes import make_random_changes
from emulator.rules import OPEN, ApiError
from emulator.store import OrderStore
from emulator.validation import OBJECT, SECONDS, STRING, STRINGS, integer_between, number_between

PREFIX = "/_emulator/"

ROUTES = Map(
    [
        Rule("/_emulator/orders", methods=["GET"], endpoint="find_orders"),
        Rule("/_emulator/orders", methods=["POST"], endpoint="create_orders"),
        Rule("/_emulator/orders/<order_id>", methods=["GET"], endpoint="get_order"),
        Rule("/_emulator/orders/<order_id>", methods=["POST"], endpoint="update_order"),
        Rule("/_emulator/truth", methods=["GET"], endpoint="list_truth"),
        Rule("/_emulator/truth", methods=["POST"], endpoint="get_truth"),
        Rule("/_emulator/churn", methods=["POST"], endpoint="churn"),
        Rule("/_emulator/clock", methods=["GET"], endpoint="get_clock"),
        Rule("/_emulator/clock", methods=["POST"], endpoint="set_clock"),
        Rule("/_emulator/switches", methods=["GET"], endpoint="get_switches"),
        Rule("/_emulator/switches", methods=["POST"], endpoint="set_switches"),
        Rule("/_emulator/faults", methods=["GET"], endpoint="list_faults"),
        Rule("/_emulator/faults", methods=["POST"], endpoint="add_fault"),
        Rule("/_emulator/faults", methods=["DELETE"], endpoint="clear_faults"),
        Rule("/_emulator/late", methods=["GET"], endpoint="get_late"),
        Rule("/_emulator/late", methods=["POST"], endpoint="apply_late"),
        Rule("/_emulator/latency", methods=["GET"], endpoint="get_latency"),
        Rule("/_emulator/latency", methods=["POST"], endpoint="set_latency"),
        Rule("/_emulator/calls", methods=["GET"], endpoint="get_calls"),
        Rule("/_emulator/calls", methods=["DELETE"], endpoint="clear_calls"),
        Rule("/_emulator/ledger", methods=["GET"], endpoint="list_ledger"),
        Rule("/_emulator/ledger", methods=["DELETE"], endpoint="clear_ledger"),
        Rule("/_emulator/reset", methods=["POST"], endpoint="reset"),
    ],
    merge_slashes=False,
    redirect_defaults=False,
)
_URLS = ROUTES.bind("")
_MAX_NEW = 10_000
_MAX_DETAILS = 10_000
_SEED = integer_between(-(2**63), 2**63)
_ADVANCE = number_between(-LATEST, LATEST)


class ControlApi:
    """Answers control requests about one emulator's state."""

    def __init__(self, state: EmulatorState) -> None:
        self._state = state
        self._store = state.store

    def respond(self, request: Request) -> Response:
        """Return the response; 404 or 405 for unknown routes or methods, 400 if invalid."""
        try:
            endpoint, values = _URLS.match(request.path, request.method)
            return json_response(getattr(self, f"_{endpoint}")(request, **values))
        except HTTPException as error:
            return error_response(error.code or 404, error.name)
        except ApiError as error:
            return error_response(error.status, error.message)
        except (ValueError, TypeError) as error:
            return error_response(400, str(error))

    def _find_orders(self, request: Request) -> Json:
        condition = _OrderFilter(self._store, request.args())
        found: list[Json] = []
        with self._store.lock:
            for index in self._store.rows_newest_first():
                if len(found) == condition.limit:
                    break
                if condition.matches(index):
                    found.append(self._summary(index))
        return {"orders": found}

    def _summary(self, index: int) -> Json:
        expires = self._store.expiration_of(index)
        return {
            "id": self._store.renderer.order_ids.encode(index),
            "status": self._store.status_of(index),
            "expires_at": None if expires is None else format_datetime(expires),
            "created_at": format_datetime(self._store.columns.created[index]),
            "position": len(self._store) - 1 - index,
        }

    def _create_orders(self, request: Request) -> Json:
        body = _parse_object(request)
        count = integer_between(1, _MAX_NEW).validate("count", body.get("count", 1))
        fields = OBJECT.validate("fields", body.get("fields") or {})
        return {"orders": self._store.create_batch(count=count, values=fields)}

    def _get_order(self, _request: Request, order_id: str) -> Json:
        return self._store.render_order_detail(self._store.find_row(order_id))

    def _update_order(self, request: Request, order_id: str) -> Json:
        return self._store.change_order(self._store.find_row(order_id), _parse_object(request))

    def _list_truth(self, request: Request) -> Json:
        """Return all orders with event_times, oldest first, hidden too: ?start=0&limit=1000."""
        args = request.args()
        start, limit = int(args.get("start", "0")), int(args.get("limit", "1000"))
        if start < 0 or not 1 <= limit <= _MAX_DETAILS:
            raise ValueError(f"start must be 0 or more, limit between 1 and {_MAX_DETAILS}")
        with self._store.lock:
            total = len(self._store)
            rows = range(total)[start : start + limit]
            following = rows.stop if rows.stop < total else None
            return {**self._details(rows), "total": total, "next": following}

    def _get_truth(self, request: Request) -> Json:
        """Return the orders of the body's `ids`, in their order; 404 if one is unknown."""
        ids = _parse_object(request).get("ids", [])
        if not isinstance(ids, list) or len(ids) > _MAX_DETAILS:
            raise ValueError(f"ids must be a list of at most {_MAX_DETAILS}")
        with self._store.lock:
            return self._details([self._store.find_row(str(order_id)) for order_id in ids])

    def _details(self, rows: Sequence[int]) -> Json:
        orders = [self._store.render_order_detail(index) for index in rows]
        pairs = zip(rows, orders, strict=True)
        hidden = [order["id"] for index, order in pairs if self._store.is_hidden(index)]
        return {"orders": orders, "hidden": hidden}

    def _churn(self, request: Request) -> Json:
        body = _parse_object(request)
        return make_random_changes(
            self._store,
            seed=_SEED.validate("seed", body.get("seed", 1)),
            changes=integer_between(0, _MAX_NEW).validate("changes", body.get("changes", 100)),
            kinds=STRINGS.allowing_null().validate("kinds", body.get("kinds")),
        )

    def _get_clock(self, _request: Request) -> Json:
        now = self._store.clock.now()
        return {"now": format_datetime(int(now)), "unix": now}

    def _set_clock(self, request: Request) -> Json:
        body = _parse_object(request)
        seconds = _ADVANCE.validate("advance_seconds", body.get("advance_seconds", 0))
        if "now" in body:
            now = parse_datetime(STRING.validate("now", body["now"]))
            self._store.clock.set(now + seconds)
        else:
            self._store.clock.advance(seconds)
        return self._get_clock(request)

    def _get_switches(self, _request: Request) -> Json:
        return {"switches": self._store.switches.as_dict()}

    def _set_switches(self, request: Request) -> Json:
        self._store.switches.update(_parse_object(request))
        return self._get_switches(request)

    def _list_faults(self, _request: Request) -> Json:
        return {"faults": self._state.faults.as_list()}

    def _add_fault(self, request: Request) -> Json:
        return self._state.faults.add(request.json()).as_dict()

    def _clear_faults(self, request: Request) -> Json:
        self._state.faults.clear()
        return self._list_faults(request)

    def _get_late(self, _request: Request) -> Json:
        return {"waiting": len(self._state.late)}

    def _apply_late(self, _request: Request) -> Json:
        return {"applied": self._state.late.apply_all()}

    def _get_latency(self, _request: Request) -> Json:
        return {"seconds": self._state.latency}

    def _set_latency(self, request: Request) -> Json:
        seconds = _parse_object(request).get("seconds", 0)
        self._state.latency = SECONDS.validate("seconds", seconds)
        return self._get_latency(request)

    def _get_calls(self, _request: Request) -> Json:
        return self._state.calls.summary()

    def _clear_calls(self, request: Request) -> Json:
        self._state.calls.clear()
        return self._get_calls(request)

    def _list_ledger(self, request: Request) -> Json:
        """Return the entries of ?order_id= and ?kind= (cancel, update_expiration, control)."""
        wanted = {k: v for k, v in request.args().items() if k in ("order_id", "kind")}
        with self._store.lock:
            entries = [e for e in self._store.ledger.entries if wanted.items() <= e.items()]
        return {"entries": entries}

    def _clear_ledger(self, request: Request) -> Json:
        with self._store.lock:
            self._store.ledger.entries.clear()
        return self._list_ledger(request)

    def _reset(self, request: Request) -> Json:
        self._state.reset()
        return {"orders": len(self._store), **self._get_clock(request)}


def _parse_object(request: Request) -> Json:
    body = request.json()
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    return body


_FLAGS = {
    "swapped": SWAPPED,
    "has_thank_you": THANKED,
    "hostile": HOSTILE,
    "commerce": COMMERCE,
    "direct": DIRECT,
}
_OTHERS = {"status", "expires_within_hours", "no_expiry", "unaccepted_expired", "limit"}


class _OrderFilter:
    """Matches orders that meet all given conditions; raises ValueError for an unknown one."""

    def __init__(self, store: OrderStore, args: dict[str, str]) -> None:
        unknown = args.keys() - _OTHERS - _FLAGS.keys()
        if unknown:
            raise ValueError(f"unknown filter {', '.join(sorted(unknown))}")
        self._store = store
        self._args = args
        self._now = store.clock.now()
        self._statuses = args["status"].split(",") if "status" in args else None
        self._flags = [(flag, _is_yes(args[name])) for name, flag in _FLAGS.items() if name in args]
        self.limit = int(args.get("limit", "20"))

    def matches(self, index: int) -> bool:
        status = self._store.status_of(index)
        if self._statuses is not None and status not in self._statuses:
            return False
        return self._matches_flags(index) and self._matches_expiration(index, status)

    def _matches_flags(self, index: int) -> bool:
        flags = self._store.stored_order(index).flags if self._flags else 0
        return all(bool(flags & flag) is wanted for flag, wanted in self._flags)

    def _matches_expiration(self, index: int, status: str) -> bool:
        expires, args, now = self._store.expiration_of(index), self._args, self._now
        if "no_expiry" in args and _is_yes(args["no_expiry"]) is not (expires is None):
            return False
        if "expires_within_hours" in args:
            until = now + float(args["expires_within_hours"]) * HOUR
            if expires is None or not now < expires <= until:
                return False
        if "unaccepted_expired" in args:
            is_expired = status in OPEN and expires is not None and expires <= now
            return is_expired is _is_yes(args["unaccepted_expired"])
        return True


def _is_yes(text: str) -> bool:
    return text.lower() not in ("0", "false", "no", "")
