"""The owner of the key and its workspaces: `GET /v1/me` and `GET /v1/workspaces`."""

from typing import Any
from uuid import UUID

import msgspec

from goody.types.parsing import BadOrder, parse_order_id, parse_text
from goody.types.strict_json import BadJSON, loads_object


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """The owner: an e-mail address for an Automation key, an app id for a Commerce key."""

    email: str | None = None
    public_app_id: str | None = None


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    name: str | None = None


def parse_me(raw: bytes) -> Me:
    """Return the owner of the key: any JSON object means that it is valid. Raises BadJSON."""
    source = loads_object(raw)
    return Me(
        email=parse_text(source.get("email")),
        public_app_id=parse_text(source.get("public_app_id")),
    )


def parse_workspaces(raw: bytes) -> tuple[Workspace, ...]:
    """Return the workspaces, without rows that have no valid id. Goody API: GET /v1/workspaces.

    Raises BadJSON if there is no list.
    """
    rows = loads_object(raw).get("data")
    if not isinstance(rows, list):
        raise BadJSON("not a list of workspaces")
    found = (_workspace(row) for row in rows if isinstance(row, dict))
    return tuple(workspace for workspace in found if workspace is not None)


def _workspace(row: dict[str, Any]) -> Workspace | None:
    try:
        return Workspace(id=parse_order_id(row), name=parse_text(row.get("name")))
    except BadOrder:
        return None
