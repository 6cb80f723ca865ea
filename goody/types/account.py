"""Whose key it is and which workspaces it sees: `GET /v1/me` and `GET /v1/workspaces`."""

from typing import Any
from uuid import UUID

import msgspec

from goody.types.reading import BadOrder, text_or_none, usable_id
from goody.types.strict import BadJSON, loads_object


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """The key's owner: an e-mail address for an Automation key, an app id for a Commerce key."""

    email: str | None = None
    public_app_id: str | None = None


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    name: str | None = None


WorkspaceList = tuple[Workspace, ...]


def parse_me(raw: bytes) -> Me:
    """Goody API: GET /v1/me. Any JSON object means that the key works. Raises BadJSON."""
    source = loads_object(raw)
    return Me(
        email=text_or_none(source.get("email")),
        public_app_id=text_or_none(source.get("public_app_id")),
    )


def parse_workspaces(raw: bytes) -> WorkspaceList:
    """Goody API: GET /v1/workspaces, unpaged. Rows without a usable id are left out.

    Raises BadJSON when there is no list.
    """
    rows = loads_object(raw).get("data")
    if not isinstance(rows, list):
        raise BadJSON("not a list of workspaces")
    found = (_workspace(row) for row in rows if isinstance(row, dict))
    return tuple(workspace for workspace in found if workspace is not None)


def _workspace(row: dict[str, Any]) -> Workspace | None:
    try:
        return Workspace(id=usable_id(row), name=text_or_none(row.get("name")))
    except BadOrder:
        return None
