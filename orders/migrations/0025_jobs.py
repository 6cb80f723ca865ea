"""Jobs and their items; operations and audit entries name their job."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

from orders import triggers


def create_triggers(apps, schema_editor):
    triggers.drop_triggers(schema_editor.connection)
    triggers.create_triggers(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0024_card_and_operation_texts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField(unique=True)),
                ("version", models.PositiveSmallIntegerField(default=1)),
                ("action", models.CharField(max_length=40)),
                ("actor_name", models.CharField(max_length=200)),
                ("form_key", models.UUIDField(unique=True)),
                ("params", models.JSONField(default=dict)),
                ("description", models.TextField(blank=True)),
                ("total", models.PositiveIntegerField()),
                (
                    "relation",
                    models.CharField(
                        blank=True,
                        choices=[("retry", "Retry"), ("rest", "Rest"), ("undo", "Undo")],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("awaiting_approval", "Awaiting Approval"),
                            ("scheduled", "Scheduled"),
                            ("running", "Running"),
                            ("paused", "Paused"),
                            ("stopped", "Stopped"),
                            ("declined", "Declined"),
                            ("expired", "Expired"),
                            ("finished", "Finished"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "pause_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("key_rejected", "Key Rejected"),
                            ("not_configured", "Not Configured"),
                            ("rate_limited", "Rate Limited"),
                            ("unreachable", "Unreachable"),
                            ("not_found", "Not Found"),
                        ],
                        max_length=20,
                    ),
                ),
                ("paused_until", models.DateTimeField(null=True)),
                ("stop_reason", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
                ("starts_at", models.DateTimeField(null=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("resumed_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("approved_by_name", models.CharField(blank=True, max_length=200)),
                ("approved_at", models.DateTimeField(null=True)),
                ("stopped_by_name", models.CharField(blank=True, max_length=200)),
                ("stopped_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
                ("queued_at", models.DateTimeField(null=True)),
                ("lease_token", models.PositiveIntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="orders.job",
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
            },
        ),
        # In reverse, SQLite copies the table and drops its triggers.
        migrations.RunPython(migrations.RunPython.noop, create_triggers),
        migrations.AddField(
            model_name="auditentry",
            name="job",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="audit",
                to="orders.job",
            ),
        ),
        migrations.AddField(
            model_name="operation",
            name="job",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="operations",
                to="orders.job",
            ),
        ),
        migrations.AddField(
            model_name="apilimits", name="next_item_at", field=models.DateTimeField(null=True)
        ),
        migrations.CreateModel(
            name="JobItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("order_uuid", models.UUIDField()),
                ("seen", models.JSONField()),
                ("expiration", models.DateTimeField(null=True)),
                ("form_key", models.UUIDField(default=uuid.uuid4, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("running", "Running"),
                            ("waiting", "Waiting"),
                            ("done", "Done"),
                            ("skipped", "Skipped"),
                            ("failed", "Failed"),
                            ("unknown", "Unknown"),
                            ("not_run", "Not Run"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("detail", models.TextField(blank=True)),
                ("token", models.PositiveIntegerField(default=0)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="orders.job",
                    ),
                ),
                (
                    "operation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="job_items",
                        to="orders.operation",
                    ),
                ),
                (
                    "undoes",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.operation",
                    ),
                ),
            ],
            options={
                "ordering": ["job", "position"],
            },
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("ended_at", None)), fields=["due_at"], name="job_due"
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("ended_at", None)), fields=["actor"], name="job_of_actor"
            ),
        ),
        migrations.AddIndex(
            model_name="jobitem",
            index=models.Index(fields=["job", "state", "position"], name="job_item_state"),
        ),
        migrations.AddIndex(
            model_name="jobitem",
            index=models.Index(
                condition=models.Q(("state__in", ["pending", "running", "waiting"])),
                fields=["order_uuid"],
                name="job_item_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="jobitem",
            constraint=models.UniqueConstraint(
                fields=("job", "position"), name="job_item_position"
            ),
        ),
        migrations.AddConstraint(
            model_name="jobitem",
            constraint=models.UniqueConstraint(fields=("job", "order_uuid"), name="job_item_order"),
        ),
    ]
