"""Saved views: the filters and the sort of a list under a name."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .statements import select_where


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
