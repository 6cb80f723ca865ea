"""Roles and their rights, and the actor of a change.

A role is a Django group; its rights are the table RIGHTS. A superuser is an admin.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from django.contrib.auth.models import AnonymousUser, Group, User
from django.db import DEFAULT_DB_ALIAS

from .models import AuditEntry
from .models.statements import select_tuples


class Role(StrEnum):
    VIEWER = "viewer"
    AGENT = "agent"
    LEAD = "lead"
    ADMIN = "admin"


class Right(StrEnum):
    READ = "order.read"
    READ_MESSAGES = "order.read_messages"
    COPY_GIFT_LINK = "order.copy_gift_link"
    CANCEL = "order.cancel"
    EXTEND = "order.extend"
    SAVE_VIEW = "view.save"
    READ_OWN_AUDIT = "audit.read_own"
    SHARE_VIEW = "view.share"
    EXPORT = "order.export"
    READ_ALL_AUDIT = "audit.read_all"
    SETTLE = "operation.settle"
    BULK = "order.bulk"
    APPROVE = "job.approve"
    READ_RAW = "order.read_raw"
    COPY_PAYMENT_LINK = "order.copy_payment_link"
    SYSTEM = "system.manage"


_VIEWER = frozenset({Right.READ})


_AGENT = _VIEWER | {
    Right.READ_MESSAGES,
    Right.COPY_GIFT_LINK,
    Right.CANCEL,
    Right.EXTEND,
    Right.SAVE_VIEW,
    Right.READ_OWN_AUDIT,
}


_LEAD = _AGENT | {
    Right.SHARE_VIEW,
    Right.EXPORT,
    Right.READ_ALL_AUDIT,
    Right.SETTLE,
    Right.BULK,
    Right.APPROVE,
}


_ADMIN = _LEAD | {Right.READ_RAW, Right.COPY_PAYMENT_LINK, Right.SYSTEM}


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.VIEWER: _VIEWER,
    Role.AGENT: _AGENT,
    Role.LEAD: _LEAD,
    Role.ADMIN: _ADMIN,
}


_IN_WORDS: dict[Right, str] = {
    Right.READ: "see orders",
    Right.READ_MESSAGES: "read messages",
    Right.COPY_GIFT_LINK: "copy gift links",
    Right.CANCEL: "cancel gifts",
    Right.EXTEND: "change expirations",
    Right.SAVE_VIEW: "save views",
    Right.SHARE_VIEW: "share views or change shared ones",
    Right.EXPORT: "download lists",
    Right.READ_OWN_AUDIT: "see the audit",
    Right.READ_ALL_AUDIT: "see everybody's audit entries",
    Right.SETTLE: "settle an outcome by hand",
    Right.BULK: "change many orders at once",
    Right.APPROVE: "approve bulk actions",
    Right.READ_RAW: "see raw data",
    Right.COPY_PAYMENT_LINK: "copy payment links",
    Right.SYSTEM: "manage the connection to Goody",
}


class NotAllowed(Exception):
    """The actor lacks a right. The message contains the right and the role that has it."""

    def __init__(self, right: Right) -> None:
        self.right = right
        roles = [role for role in Role if right in RIGHTS[role]]
        super().__init__(
            f"Your role may not {_IN_WORDS[right]}. An admin can make you {_a(roles[0])}."
        )


def _a(role: Role) -> str:
    return f"an {role}" if role[0] in "aeiou" else f"a {role}"


# What a row of the audit and of an operation holds; Django's two names may be longer.
_LONGEST_NAME = AuditEntry._meta.get_field("actor_name").max_length


_OF_USER = ("username", "first_name", "last_name", "is_active", "is_superuser")
_USERS_WITH_GROUPS = """
    auth_user u LEFT JOIN auth_user_groups m ON m.user_id = u.id
    LEFT JOIN auth_group g ON g.id = m.group_id WHERE u.id = %s
"""


@dataclass(frozen=True)
class Actor:
    """The person who makes a change. Services and jobs receive an actor, never a request."""

    user_id: int | None
    name: str
    role: Role | None
    request_id: str = ""

    @classmethod
    def for_user(
        cls,
        user: User | AnonymousUser,
        request_id: str = "",
        *,
        groups: Collection[str] | None = None,
    ) -> Self:
        """Return the actor of a user. `groups`: names of the user's groups, if already read."""
        if not user.is_authenticated:
            return cls(None, "", None, request_id)
        if groups is None:
            groups = set(user.groups.values_list("name", flat=True))
        name = user.get_full_name() or user.get_username()
        return cls(user.pk, name[:_LONGEST_NAME], _role_of(user, groups), request_id)

    @classmethod
    def by_user_id(cls, user_id: int, request_id: str = "") -> Self:
        """Return the actor of a user with the rights of this moment, in one query."""
        # The user once for each of their groups.
        rows = select_tuples(
            [*(f"u.{name}" for name in _OF_USER), "g.name"],
            _USERS_WITH_GROUPS,
            [user_id],
            using=DEFAULT_DB_ALIAS,
        )
        user = User(pk=user_id, **dict(zip(_OF_USER, rows[0], strict=False)))
        return cls.for_user(user, request_id, groups={row[-1] for row in rows if row[-1]})

    def may(self, right: Right) -> bool:
        return self.role is not None and right in RIGHTS[self.role]

    def require(self, right: Right) -> None:
        if not self.may(right):
            raise NotAllowed(right)


def _role_of(user: User, groups: Collection[str]) -> Role | None:
    """Return the highest role among the user's groups; a superuser is an admin."""
    if not user.is_active:
        return None
    if user.is_superuser:
        return Role.ADMIN
    return next((role for role in reversed(Role) if role in groups), None)


def create_groups() -> None:
    for role in Role:
        Group.objects.get_or_create(name=role.value)
