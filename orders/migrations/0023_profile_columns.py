"""The columns that a person chose for the list of orders."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0022_finding_matches")]

    operations = [
        migrations.AddField("profile", "columns", models.CharField(blank=True, max_length=300)),
    ]
