"""An extension is never sent again, evidence is kept by the worker, and proofs are dated."""

from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q


def date_proofs(apps, schema_editor):
    """Applied without an unknown outcome: Goody confirmed it. Otherwise a read or a lead did."""
    operations = apps.get_model("orders", "Operation").objects.using(schema_editor.connection.alias)
    # The later of two sendings is the one that may still arrive.
    operations.exclude(resent_at=None).filter(state="unknown").update(sent_at=F("resent_at"))
    applied = operations.filter(state="applied")
    applied.filter(unknown_at=None).update(confirmed_at=F("closed_at"))
    by_read = applied.exclude(unknown_at=None).exclude(failure_kind="by_hand")
    by_read.update(effect_seen_at=F("closed_at"))


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0013_sign_in_heartbeat_access"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("operation", "confirmed_at", models.DateTimeField(null=True)),
        migrations.AddField("operation", "effect_seen_at", models.DateTimeField(null=True)),
        migrations.AddField("operation", "contradicted_at", models.DateTimeField(null=True)),
        migrations.AddField("operation", "contradiction", models.JSONField(null=True)),
        migrations.AddField("operation", "notice_at", models.DateTimeField(null=True)),
        migrations.RunPython(date_proofs, migrations.RunPython.noop),
        migrations.RemoveField("operation", "resent_at"),
        migrations.RemoveField("operation", "unchanged_reads"),
        migrations.RemoveField("operation", "first_unchanged_at"),
        migrations.AddIndex(
            "operation",
            models.Index(
                fields=["actor"], condition=Q(notice_at__isnull=False), name="operation_notice"
            ),
        ),
    ]
