"""An index that covers the sums of unaccepted gifts by expiration."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0025_jobs")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX orders_order_unaccepted_expires ON orders_order"
            " (expires_at, workspace_id, sender_id, amount_cents, is_amount_odd, is_before_tax,"
            " status) WHERE status IN ('created', 'notified', 'opened')",
            "DROP INDEX orders_order_unaccepted_expires",
        )
    ]
