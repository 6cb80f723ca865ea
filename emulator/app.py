"""The emulator as an application: it answers requests, without any socket of its own."""

from emulator.api import GoodyApi, route_name
from emulator.clock import format_datetime
from emulator.connection import ClientConnection
from emulator.control import PREFIX, ControlApi
from emulator.data_sets import RANDOM
from emulator.emulator_state import EmulatorState
from emulator.fault_kinds import FAULT_KINDS, FaultContext
from emulator.messages import Request

DEFAULT_KEY = "test-key"


class Emulator:
    """A complete fake Goody: the API, the control routes and their state."""

    def __init__(
        self, *, orders: int, seed: int, now: int, key: str = DEFAULT_KEY, data: str = RANDOM
    ) -> None:
        self.state = EmulatorState(orders=orders, seed=seed, now=now, data=data)
        self.store = self.state.store
        self._api = GoodyApi(self.store, key=key)
        self._control = ControlApi(self.state)

    def handle(self, request: Request, connection: ClientConnection) -> None:
        """Answer a request on its connection. Control requests are neither logged nor delayed."""
        if request.path.startswith(PREFIX):
            connection.send(self._control.respond(request))
            return
        calls, at = self.state.calls, format_datetime(int(self.store.clock.now()))
        calls.begin_call(route_name(request), path=request.path, query=request.query, at=at)
        try:
            self._handle_api(request, connection)
        finally:
            calls.end_call()

    def _handle_api(self, request: Request, connection: ClientConnection) -> None:
        state = self.state
        if state.latency:
            state.stopping.wait(state.latency)
        rule = state.faults.find_for_request(method=request.method, path=request.path)
        if rule is None:
            connection.send(self._api.respond(request))
            return
        context = FaultContext(
            rule.fault,
            connection=connection,
            handle=lambda: self._api.respond(request),
            late=state.late,
            stopping=state.stopping,
        )
        FAULT_KINDS[rule.fault["kind"]].run(context)
