"""A worker decides when a POST cannot take effect any more; records by hand are read again."""

from datetime import timedelta

from django.conf import settings
from django.db import migrations, models
from django.db.models import Q
from django.utils import timezone

_CLOSED_BY_READS = ("applied", "not_applied", "superseded")


def prepare(apps, schema_editor):
    operations = apps.get_model("orders", "Operation").objects.using(schema_editor.connection.alias)
    now = timezone.now()
    # Longer ago than a POST can land, even if the clock was set. The first worker resets them.
    sent = operations.filter(sent_at__gt=now - timedelta(days=1))
    may_land = Q(state__in=("sending", "unknown", "needs_human")) | Q(
        state__in=_CLOSED_BY_READS, confirmed_at=None
    )
    sent.filter(may_land).update(may_land=True)
    # The worker reads these orders once, and finds out whether a read shows what was recorded.
    recorded = operations.filter(state="applied", failure_kind="by_hand", confirmed_at=None)
    recorded.filter(contradicted_at=None, effect_seen_at=None).update(due_at=now)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0017_density_labels"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("operation", "may_land", models.BooleanField(default=False)),
        migrations.RunPython(prepare, migrations.RunPython.noop),
        migrations.AddIndex(
            "operation",
            models.Index(
                fields=["order_uuid"], condition=Q(may_land=True), name="operation_may_land"
            ),
        ),
    ]
