"""The index with all that lists are filtered, sorted and searched by.

What was stored of orders before goes: it can be read from Goody again.
"""

from django.db import migrations, models

from orders import schema


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0002_groups_and_triggers"),
    ]

    operations = [
        migrations.DeleteModel("Order"),
        migrations.DeleteModel("OrderPayload"),
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(unique=True)),
                ("status", models.CharField(max_length=100)),
                ("reference_id", models.TextField(blank=True)),
                ("gift_digest", models.CharField(blank=True, max_length=32)),
                ("recipient_name", models.TextField(blank=True)),
                ("recipient_email", models.TextField(blank=True)),
                ("name_key", models.TextField(null=True)),
                ("email_key", models.TextField(blank=True)),
                ("people", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(null=True)),
                (
                    "created_from",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "not known"),
                            (1, "estimated from the creation window it was listed in"),
                            (2, "the activity feed"),
                            (3, "the order itself"),
                        ],
                        default=0,
                    ),
                ),
                ("expires_at", models.DateTimeField(null=True)),
                ("is_expiry_odd", models.BooleanField(default=False)),
                ("amount_cents", models.BigIntegerField(null=True)),
                ("is_before_tax", models.BooleanField(default=False)),
                ("product_id", models.IntegerField(null=True)),
                ("brand_id", models.IntegerField(null=True)),
                ("quantity", models.BigIntegerField(null=True)),
                ("item_count", models.PositiveIntegerField(default=0)),
                ("sender_id", models.IntegerField(null=True)),
                ("workspace_id", models.IntegerField(null=True)),
                ("message_id", models.IntegerField(null=True)),
                ("note_id", models.IntegerField(null=True)),
                ("order_batch_id", models.UUIDField(null=True)),
                ("is_swapped", models.BooleanField(default=False)),
                ("is_payment_pending", models.BooleanField(default=False)),
                ("has_delivery_trouble", models.BooleanField(default=False)),
                ("event_times", models.JSONField(null=True)),
                ("row_hash", models.CharField(blank=True, max_length=32)),
                ("content_hash", models.CharField(max_length=32)),
                ("read_at", models.DateTimeField()),
                ("missing_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="OrderPayload",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("packed", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="OtherProduct",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("order_id", models.BigIntegerField()),
                ("product_id", models.IntegerField()),
                ("brand_id", models.IntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Wording",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("hash", models.CharField(max_length=32, unique=True)),
                ("folded", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name="Label",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("product", "Product"),
                            ("brand", "Brand"),
                            ("sender", "Sender"),
                            ("workspace", "Workspace"),
                        ],
                        max_length=10,
                    ),
                ),
                ("key", models.TextField()),
                ("name", models.TextField(blank=True)),
                ("folded", models.TextField(blank=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("kind", "key"), name="label_once")],
            },
        ),
        migrations.CreateModel(
            name="LabelVersion",
            fields=[
                ("id", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("token", models.CharField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name="OrderCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("workspace_id", models.IntegerField(default=0)),
                ("status", models.CharField(max_length=100)),
                ("n", models.IntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("workspace_id", "status"), name="order_count_once"
                    )
                ],
            },
        ),
        # Its table is made below: without a rowid on SQLite.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="WordStart",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "start",
                                "order_id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("start", models.CharField(max_length=8)),
                        ("order_id", models.BigIntegerField()),
                    ],
                ),
            ],
            database_operations=[
                migrations.RunSQL(migrations.RunSQL.noop, "DROP TABLE orders_wordstart"),
            ],
        ),
        migrations.RunPython(
            lambda _apps, editor: schema.create(editor.connection),
            lambda _apps, editor: schema.drop(editor.connection),
        ),
    ]
