"""The earliest and the latest expiration of the orders created in each period."""

from django.db import migrations, models

# A period is a creation key without its lowest 37 bits.
_FILL = """
INSERT INTO orders_expiryrange (period, earliest, latest)
SELECT id >> 37, min(expires_at), max(expires_at)
FROM orders_order WHERE expires_at IS NOT NULL GROUP BY id >> 37
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0011_finding_left_out")]

    operations = [
        migrations.CreateModel(
            "ExpiryRange",
            [
                ("period", models.BigIntegerField(primary_key=True, serialize=False)),
                ("earliest", models.DateTimeField()),
                ("latest", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop, elidable=True),
    ]
