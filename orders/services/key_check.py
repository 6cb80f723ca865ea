"""Checks the API key: whose it is, and which workspaces it can read."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from goody.client import RetryPolicy
from goody.errors import GoodyError, Unauthorized
from goody.types import Workspace
from orders import goody_api
from orders.audit import Action, audited_action, record_action
from orders.goody_api import CallsBlocked
from orders.rights import Actor

from .reading import stale_copy_reason

log = logging.getLogger(__name__)

# What the audit says of a check that succeeded.
KEY_WORKS = "The key works"


@dataclass(frozen=True)
class ApiKeyCheck:
    """The owner of the API key and the workspaces that it can read.

    `problem` is the reason why the check failed (`is_rejected`: Goody rejects the key), "" if the
    key works. `workspaces` is None if only they could not be read.
    """

    email: str | None = None
    public_app_id: str | None = None
    workspaces: tuple[Workspace, ...] | None = None
    problem: str = ""
    is_rejected: bool = False


@audited_action(Action.KEY_CHECK)
def check_api_key(*, actor: Actor, now: datetime) -> ApiKeyCheck:
    """Check the API key with Goody, even if it was rejected before; a success unblocks calls."""
    policy = goody_api.page_retry_policy()
    try:
        me = goody_api.call_unthrottled(lambda client, left: client.get_me(policy=left), policy)
    except (CallsBlocked, GoodyError) as error:
        is_rejected = isinstance(error, Unauthorized)
        check = ApiKeyCheck(problem=stale_copy_reason(error), is_rejected=is_rejected)
    else:
        check = ApiKeyCheck(me.email, me.public_app_id, _visible_workspaces(policy))
    record_action(actor, Action.KEY_CHECK, detail=check.problem or KEY_WORKS, now=now)
    return check


def _visible_workspaces(policy: RetryPolicy) -> tuple[Workspace, ...] | None:
    try:
        return goody_api.call_goody(
            lambda client, left: client.list_workspaces(policy=left), policy=policy
        )
    except (CallsBlocked, GoodyError) as error:
        log.info("the workspaces could not be read: %s", type(error).__name__)
        return None
