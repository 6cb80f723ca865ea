"""Findings list the links that hide what they lead to."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0018_operation_may_land")]

    operations = [migrations.AddField("finding", "hidden", models.JSONField(default=list))]
