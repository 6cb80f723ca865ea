"""What a pasted text names, with its orders, and who wrote it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0021_rename_may_land")]

    operations = [
        migrations.AddField("finding", "matches", models.JSONField(default=list)),
        migrations.AddField("finding", "writer", models.TextField(blank=True, default="")),
    ]
