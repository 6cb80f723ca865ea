"""The routes under /_emulator/ by which tests and people steer the emulator. JSON in and out.

Without a key, never counted, never faulted. Nothing of Goody's is here.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from emulator.checks import OBJECT, SECONDS, TEXT, TEXTS, number, whole
from emulator.churn import churn
from emulator.clock import LATEST, read_instant
from emulator.messages import Answer, Request, answer, error
from emulator.render import Json, stamp
from emulator.seed import COMMERCE, DIRECT, HOSTILE, HOUR, SWAPPED, THANKED
from emulator.store import OPEN, RefusalError

if TYPE_CHECKING:
    from emulator.app import Emulator

PREFIX = "/_emulator/"

ROUTES = Map(
    [
        Rule("/_emulator/orders", methods=["GET"], endpoint="find_orders"),
        Rule("/_emulator/orders", methods=["POST"], endpoint="create_orders"),
        Rule("/_emulator/orders/<order_id>", methods=["GET"], endpoint="show_order"),
        Rule("/_emulator/orders/<order_id>", methods=["POST"], endpoint="play_order"),
        Rule("/_emulator/truth", methods=["GET"], endpoint="tell_all"),
        Rule("/_emulator/truth", methods=["POST"], endpoint="tell_some"),
        Rule("/_emulator/churn", methods=["POST"], endpoint="churn"),
        Rule("/_emulator/clock", methods=["GET"], endpoint="show_clock"),
        Rule("/_emulator/clock", methods=["POST"], endpoint="move_clock"),
        Rule("/_emulator/switches", methods=["GET"], endpoint="show_switches"),
        Rule("/_emulator/switches", methods=["POST"], endpoint="set_switches"),
        Rule("/_emulator/faults", methods=["GET"], endpoint="show_faults"),
        Rule("/_emulator/faults", methods=["POST"], endpoint="add_fault"),
        Rule("/_emulator/faults", methods=["DELETE"], endpoint="clear_faults"),
        Rule("/_emulator/late", methods=["GET"], endpoint="show_late"),
        Rule("/_emulator/late", methods=["POST"], endpoint="apply_late"),
        Rule("/_emulator/latency", methods=["GET"], endpoint="show_latency"),
        Rule("/_emulator/latency", methods=["POST"], endpoint="set_latency"),
        Rule("/_emulator/calls", methods=["GET"], endpoint="show_calls"),
        Rule("/_emulator/calls", methods=["DELETE"], endpoint="zero_calls"),
        Rule("/_emulator/ledger", methods=["GET"], endpoint="show_ledger"),
        Rule("/_emulator/ledger", methods=["DELETE"], endpoint="clear_ledger"),
        Rule("/_emulator/reset", methods=["POST"], endpoint="reset"),
    ],
    merge_slashes=False,
    redirect_defaults=False,
)
_PATHS = ROUTES.bind("")
_MOST_NEW = 10_000
_MOST_TOLD = 10_000
_SEED = whole(-(2**63), 2**63)
_FORWARD = number(-LATEST, LATEST)
_FLAGS = {
    "swapped": SWAPPED,
    "has_thank_you": THANKED,
    "hostile": HOSTILE,
    "commerce": COMMERCE,
    "direct": DIRECT,
}


class Control:
    """Steers one emulator."""

    def __init__(self, emulator: "Emulator") -> None:
        self._emulator = emulator
        self._store = emulator.store

    def respond(self, request: Request) -> Answer:
        """404 and 405 for unknown routes, 400 with a sentence for what cannot be done."""
        try:
            endpoint, values = _PATHS.match(request.path, request.method)
            return answer(getattr(self, f"_{endpoint}")(request, **values))
        except HTTPException as problem:
            return error(problem.code or 404, problem.name)
        except RefusalError as refusal:
            return error(refusal.status, refusal.sentence)
        except (ValueError, TypeError) as problem:
            return error(400, str(problem))

    def _find_orders(self, request: Request) -> Json:
        wanted = _Wanted(self._store, request.args())
        found: list[Json] = []
        with self._store.lock:
            for index in self._store.newest_first():
                if len(found) == wanted.limit:
                    break
                if wanted.accepts(index):
                    found.append(self._brief(index))
        return {"orders": found}

    def _brief(self, index: int) -> Json:
        expires = self._store.expires(index)
        return {
            "id": self._store.renderer.order_ids.encode(index),
            "status": self._store.status(index),
            "expires_at": None if expires is None else stamp(expires),
            "created_at": stamp(self._store.columns.created[index]),
            "position": len(self._store) - 1 - index,
        }

    def _create_orders(self, request: Request) -> Json:
        body = _object(request)
        count = whole(1, _MOST_NEW).of("count", body.get("count", 1))
        fields = OBJECT.of("fields", body.get("fields") or {})
        return {"orders": self._store.create(count=count, values=fields)}

    def _show_order(self, _request: Request, order_id: str) -> Json:
        return self._store.detail(self._store.find(order_id))

    def _play_order(self, request: Request, order_id: str) -> Json:
        return self._store.play(self._store.find(order_id), _object(request))

    def _tell_all(self, request: Request) -> Json:
        """Every order as its detail, hidden ones too, oldest first: ?start=0&limit=1000."""
        args = request.args()
        start, limit = int(args.get("start", "0")), int(args.get("limit", "1000"))
        if start < 0 or not 1 <= limit <= _MOST_TOLD:
            raise ValueError(f"start is 0 or more, limit between 1 and {_MOST_TOLD}")
        with self._store.lock:
            total = len(self._store)
            rows = range(total)[start : start + limit]
            following = rows.stop if rows.stop < total else None
            return {**self._told(rows), "total": total, "next": following}

    def _tell_some(self, request: Request) -> Json:
        """The same for the ids in the body's `ids`, in their order; 404 if one is unknown."""
        ids = _object(request).get("ids", [])
        if not isinstance(ids, list) or len(ids) > _MOST_TOLD:
            raise ValueError(f"ids is a list of at most {_MOST_TOLD}")
        with self._store.lock:
            return self._told([self._store.find(str(order_id)) for order_id in ids])

    def _told(self, rows: Sequence[int]) -> Json:
        orders = [self._store.detail(index) for index in rows]
        pairs = zip(rows, orders, strict=True)
        hidden = [order["id"] for index, order in pairs if self._store.is_hidden(index)]
        return {"orders": orders, "hidden": hidden}

    def _churn(self, request: Request) -> Json:
        body = _object(request)
        return churn(
            self._store,
            seed=_SEED.of("seed", body.get("seed", 1)),
            changes=whole(0, _MOST_NEW).of("changes", body.get("changes", 100)),
            kinds=TEXTS.or_null().of("kinds", body.get("kinds")),
        )

    def _show_clock(self, _request: Request) -> Json:
        now = self._store.clock.now()
        return {"now": stamp(int(now)), "unix": now}

    def _move_clock(self, request: Request) -> Json:
        body = _object(request)
        seconds = _FORWARD.of("advance_seconds", body.get("advance_seconds", 0))
        if "now" in body:
            self._store.clock.set(read_instant(TEXT.of("now", body["now"])) + seconds)
        else:
            self._store.clock.advance(seconds)
        return self._show_clock(request)

    def _show_switches(self, _request: Request) -> Json:
        return {"switches": self._store.switches.as_dict()}

    def _set_switches(self, request: Request) -> Json:
        self._store.switches.set_all(_object(request))
        return self._show_switches(request)

    def _show_faults(self, _request: Request) -> Json:
        return {"faults": self._emulator.faults.as_list()}

    def _add_fault(self, request: Request) -> Json:
        return self._emulator.faults.add(request.json()).as_dict()

    def _clear_faults(self, request: Request) -> Json:
        self._emulator.faults.clear()
        return self._show_faults(request)

    def _show_late(self, _request: Request) -> Json:
        return {"waiting": len(self._emulator.late)}

    def _apply_late(self, _request: Request) -> Json:
        return {"applied": self._emulator.late.now()}

    def _show_latency(self, _request: Request) -> Json:
        return {"seconds": self._emulator.latency}

    def _set_latency(self, request: Request) -> Json:
        self._emulator.latency = SECONDS.of("seconds", _object(request).get("seconds", 0))
        return self._show_latency(request)

    def _show_calls(self, _request: Request) -> Json:
        return self._emulator.calls.report()

    def _zero_calls(self, request: Request) -> Json:
        self._emulator.calls.zero()
        return self._show_calls(request)

    def _show_ledger(self, request: Request) -> Json:
        """Filter: ?order_id=, ?kind= (cancel, update_expiration, control)."""
        wanted = {k: v for k, v in request.args().items() if k in ("order_id", "kind")}
        with self._store.lock:
            entries = [e for e in self._store.ledger if wanted.items() <= e.items()]
        return {"entries": entries}

    def _clear_ledger(self, request: Request) -> Json:
        with self._store.lock:
            self._store.ledger.clear()
        return self._show_ledger(request)

    def _reset(self, request: Request) -> Json:
        self._emulator.reset()
        return {"orders": len(self._store), **self._show_clock(request)}


class _Wanted:
    """The conditions of GET /_emulator/orders; all given ones must hold."""

    def __init__(self, store: Any, args: dict[str, str]) -> None:
        known = {"status", "expires_within_hours", "no_expiry", "unaccepted_expired", "limit"}
        unknown = args.keys() - known - _FLAGS.keys()
        if unknown:
            raise ValueError(f"unknown filter {', '.join(sorted(unknown))}")
        self._store = store
        self._args = args
        self._now = store.clock.now()
        self._statuses = args["status"].split(",") if "status" in args else None
        self._flags = [(flag, _yes(args[name])) for name, flag in _FLAGS.items() if name in args]
        self.limit = int(args.get("limit", "20"))

    def accepts(self, index: int) -> bool:
        status = self._store.status(index)
        if self._statuses is not None and status not in self._statuses:
            return False
        return self._flags_fit(index) and self._expiry_fits(index, status)

    def _flags_fit(self, index: int) -> bool:
        flags = self._store.facts(index).flags if self._flags else 0
        return all(bool(flags & flag) is wanted for flag, wanted in self._flags)

    def _expiry_fits(self, index: int, status: str) -> bool:
        expires, args, now = self._store.expires(index), self._args, self._now
        if "no_expiry" in args and _yes(args["no_expiry"]) is not (expires is None):
            return False
        if "expires_within_hours" in args:
            until = now + float(args["expires_within_hours"]) * HOUR
            if expires is None or not now < expires <= until:
                return False
        if "unaccepted_expired" in args:
            lapsed = status in OPEN and expires is not None and expires <= now
            return lapsed is _yes(args["unaccepted_expired"])
        return True


def _yes(text: str) -> bool:
    return text.lower() not in ("0", "false", "no", "")


def _object(request: Request) -> Json:
    body = request.json()
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise ValueError("the body is a JSON object")
    return body
