"""A person's settings and saved views, and the limits of sign-in attempts.

All web processes share the limits.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connections, models
from django.db.models import Q

from .statements import select_where

_FIELDS = ("id", "user_id", "time_zone", "theme", "density", "has_shortcuts", "columns")
# Written here, since Django takes ten times as long to write it as a database to answer it, and
# every page asks.
_WITH_GROUPS = f"""
    SELECT g.name, {", ".join(f"p.{field}" for field in _FIELDS)}
    FROM auth_user u
    LEFT JOIN orders_profile p ON p.user_id = u.id
    LEFT JOIN auth_user_groups m ON m.user_id = u.id
    LEFT JOIN auth_group g ON g.id = m.group_id
    WHERE u.id = %s
"""  # noqa: S608


class ProfileQuerySet(models.QuerySet["Profile"]):
    def with_groups(self, user_id: int) -> tuple[Profile, frozenset[str]]:
        """Return a person's settings and the names of the person's groups, in one query.

        The settings are unsaved defaults if nothing is stored.
        """
        with connections[self.db].cursor() as cursor:
            cursor.execute(_WITH_GROUPS, [user_id])
            rows = cursor.fetchall()
        stored = rows[0][1:] if rows and rows[0][1] is not None else None
        profile = Profile.from_db(self.db, _FIELDS, stored) if stored else Profile(user_id=user_id)
        return profile, frozenset(name for name, *_ in rows if name is not None)

    def choose_columns(self, profile: Profile, columns: str) -> None:
        """Store the columns of the person's lists. `profile` may be unsaved."""
        self.update_or_create(user_id=profile.user_id, defaults={"columns": columns})


class Profile(models.Model):
    class Theme(models.TextChoices):
        SYSTEM = "system", "As my system"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    class Density(models.TextChoices):
        REGULAR = "regular", "Comfortable, two lines a row"
        COMPACT = "compact", "Compact, one line a row"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="profile"
    )
    # Empty: the dashboard's TIME_ZONE.
    time_zone = models.CharField(max_length=64, blank=True)
    theme = models.CharField(max_length=10, choices=Theme, default=Theme.SYSTEM)
    density = models.CharField(max_length=10, choices=Density, default=Density.REGULAR)
    # Keys that do something by themselves get in the way of some input devices.
    has_shortcuts = models.BooleanField(default=True)

    # Of the list of orders, as text of orders.list_columns; empty for the default ones.
    columns = models.CharField(max_length=300, blank=True)

    objects = ProfileQuerySet.as_manager()

    def __str__(self) -> str:
        return f"profile of user {self.user_id}"


class SignInLimitQuerySet(models.QuerySet["SignInLimit"]):
    def delete_old(self, *, now: datetime) -> int:
        """Delete the rows that no attempt has changed for a day, and return their number."""
        count, _ = self.filter(last_at__lt=now - timedelta(days=1)).delete()
        return count


class SignInLimit(models.Model):
    """The failed attempts for one account or from one network address. Times are UTC."""

    # A digest: somebody may have typed a password for the user name.
    key = models.CharField(max_length=64, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(db_index=True)
    blocked_until = models.DateTimeField()

    objects = SignInLimitQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.key[:8]} {self.failures}"


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, user_id: int | None) -> SavedViewQuerySet:
        return self.filter(Q(is_shared=True) | Q(owner_id=user_id))

    def fetch_for_list_page(self, user_id: int | None) -> list[SavedView]:
        """Return `visible_to` sorted, as a list, for every page of orders."""
        condition = "is_shared OR owner_id = %s ORDER BY is_shared, position, id"
        return select_where(SavedView, condition, [user_id], using=self.db)


class SavedView(models.Model):
    """A view of one person, or of everybody if `is_shared`."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    name = models.CharField(max_length=60)
    # The folded name (orders.text): names that look alike are the same.
    name_key = models.TextField()
    # The list's URL parameters in canonical order, without a page position.
    query = models.TextField(blank=True)
    is_shared = models.BooleanField(default=False)
    position = models.IntegerField(default=0)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["is_shared", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name_key"], name="saved_view_once"),
            models.UniqueConstraint(
                fields=["name_key"], condition=Q(is_shared=True), name="shared_view_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name
