"""What searches find in addition: card ids, and the notes and tickets of operations."""

import json
import zlib
from collections import defaultdict
from uuid import UUID, uuid4

from django.db import migrations, models

from orders import schema
from orders.compression import decompress_json
from orders.text import fold_text, searchable_text

_BATCH = 2_000
_KINDS = [
    ("product", "Product"),
    ("brand", "Brand"),
    ("sender", "Sender"),
    ("workspace", "Workspace"),
    ("card", "Card"),
]


def add_full_text(apps, schema_editor):
    schema.add_full_text(schema_editor.connection, "orders_operationtext", "folded")


def drop_full_text(apps, schema_editor):
    schema.drop_full_text(schema_editor.connection, "orders_operationtext")


def fill_operation_texts(apps, schema_editor):
    alias = schema_editor.connection.alias
    text = apps.get_model("orders", "OperationText")
    operations = apps.get_model("orders", "Operation").objects.using(alias)
    for order_id, note, ticket in operations.values_list("order_uuid", "note", "ticket").iterator():
        for kind, folded in (("note", searchable_text(note)), ("ticket", fold_text(ticket))):
            if folded:
                text.objects.using(alias).create(order_uuid=order_id, kind=kind, folded=folded)


def index_cards(apps, schema_editor):
    end = ", id" if schema_editor.connection.vendor == "postgresql" else ""
    schema_editor.execute(f"CREATE INDEX orders_order_card ON orders_order (card_id{end})")


def drop_index(apps, schema_editor):
    schema_editor.execute("DROP INDEX orders_order_card")


def _card(packed):
    """The id of the card as the index stores it; "" for a row or an id that cannot be read."""
    try:
        given = json.loads(decompress_json(packed))["card_id"]
        card = str(UUID(given))
    except (AttributeError, KeyError, TypeError, ValueError, zlib.error):
        return ""
    return card if card == given.lower() else ""


def fill_cards(apps, schema_editor):
    alias = schema_editor.connection.alias
    payloads = apps.get_model("orders", "OrderPayload").objects.using(alias)
    orders = apps.get_model("orders", "Order").objects.using(alias)
    labels = apps.get_model("orders", "Label").objects.using(alias)
    with_card = defaultdict(list)
    for key, packed in payloads.values_list("pk", "packed").iterator(_BATCH):
        if card := _card(bytes(packed)):
            with_card[card].append(key)
    for card, keys in with_card.items():
        label, _ = labels.get_or_create(
            kind="card", key=card, defaults={"name": card, "folded": fold_text(card)}
        )
        for start in range(0, len(keys), _BATCH):
            orders.filter(pk__in=keys[start : start + _BATCH]).update(card_id=label.pk)
    # Processes read the labels anew.
    versions = apps.get_model("orders", "LabelVersion").objects.using(alias)
    versions.update(token=uuid4().hex)


class Migration(migrations.Migration):
    dependencies = [("orders", "0023_profile_columns")]

    operations = [
        migrations.CreateModel(
            "OperationText",
            [
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("order_uuid", models.UUIDField(db_index=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("note", "Note"), ("ticket", "Ticket")], max_length=10
                    ),
                ),
                ("folded", models.TextField()),
            ],
        ),
        migrations.RunPython(add_full_text, drop_full_text),
        migrations.RunPython(fill_operation_texts, migrations.RunPython.noop),
        migrations.AlterField("label", "kind", models.CharField(choices=_KINDS, max_length=10)),
        # In SQL: on SQLite, Django would copy the table and drop its full-text index and triggers.
        migrations.RunSQL(
            "ALTER TABLE orders_order ADD COLUMN card_id integer NULL",
            "ALTER TABLE orders_order DROP COLUMN card_id",
            state_operations=[
                migrations.AddField("order", "card_id", models.IntegerField(null=True))
            ],
        ),
        migrations.RunPython(fill_cards, migrations.RunPython.noop),
        migrations.RunPython(index_cards, drop_index),
    ]
