"""Running emulators, and a client that talks to them over sockets."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from emulator.server import Server, running_server

NOW = 1_795_305_600  # 2026-11-22T00:00:00Z
KEY = "test-key"


class Goody:
    """A client with one connection that raises for no status of the API."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.url = server.url
        self.session = requests.Session()
        self.session.trust_env = False

    def call(self, method: str, path: str, *, key: str = KEY, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}", **options.pop("headers", {})}
        options = {"timeout": 5, "allow_redirects": False, **options}
        return self.session.request(method, self.url + path, headers=headers, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.call("POST", path, **options)

    def cancel(self, order_id: str, **options: Any) -> requests.Response:
        return self.post(f"/v1/orders/{order_id}/cancel", **options)

    def extend(self, order_id: str, expiration: Any, **options: Any) -> requests.Response:
        body = {"expiration": expiration}
        return self.post(f"/v1/orders/{order_id}/update_expiration", json=body, **options)

    def order(self, order_id: str) -> dict[str, Any]:
        response = self.get(f"/v1/orders/{order_id}")
        assert response.status_code == 200
        return response.json()

    def control(self, path: str, body: Any = None, *, method: str = "POST") -> Any:
        response = self.session.request(
            method, f"{self.url}/_emulator/{path}", json=body, timeout=5
        )
        assert response.status_code == 200, response.text
        return response.json()

    def ask(self, path: str) -> Any:
        return self.control(path, method="GET")

    def found(self, conditions: str) -> list[dict[str, Any]]:
        return self.ask(f"orders?{conditions}")["orders"]

    def one(self, conditions: str) -> str:
        return self.found(f"{conditions}&limit=1")[0]["id"]

    def fault(
        self, kind: str, *, path: str = "/v1/", times: int | None = 1, **options: Any
    ) -> None:
        rule = {"match": {"path": path}, "times": times, "fault": {"kind": kind, **options}}
        self.control("faults", rule)

    def ledger(self, order_id: str) -> list[dict[str, Any]]:
        return self.ask(f"ledger?order_id={order_id}")["entries"]


@pytest.fixture(scope="session")
def shared() -> Iterator[Goody]:
    """An emulator with the default number of orders, for tests that only read."""
    with running_server(orders=5_000, now=NOW) as server:
        yield Goody(server)


@pytest.fixture(scope="module")
def _module_goody() -> Iterator[Goody]:
    with running_server(orders=600, now=NOW) as server:
        yield Goody(server)


@pytest.fixture
def goody(_module_goody: Goody) -> Iterator[Goody]:
    """An emulator that tests may change; it is reset before each test."""
    _module_goody.control("reset")
    yield _module_goody
    _module_goody.session.close()
