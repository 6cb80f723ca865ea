"""The folded notes and tickets of operations, for searching."""

from __future__ import annotations

from django.db import models

from orders.text import fold_text, searchable_text

from .operation import Operation


class OperationTextManager(models.Manager["OperationText"]):
    def store(self, operation: Operation) -> None:
        """Store the note and the ticket of a new operation."""
        texts = {
            OperationText.Kind.NOTE: searchable_text(operation.note),
            OperationText.Kind.TICKET: fold_text(operation.ticket),
        }
        self.bulk_create(
            OperationText(order_uuid=operation.order_uuid, kind=kind, folded=folded)
            for kind, folded in texts.items()
            if folded
        )


class OperationText(models.Model):
    """The folded note or ticket of an operation, stored with it and never changed."""

    class Kind(models.TextChoices):
        NOTE = "note"
        TICKET = "ticket"

    id = models.AutoField(primary_key=True)
    order_uuid = models.UUIDField(db_index=True)
    kind = models.CharField(max_length=10, choices=Kind)
    folded = models.TextField()

    objects = OperationTextManager()

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
