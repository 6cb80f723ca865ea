"""A column and its index have the name of the setting's window."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("orders", "0020_spelling")]

    operations = [
        # Renaming the column would leave its former name in the index's condition.
        migrations.RemoveIndex("operation", "operation_may_land"),
        migrations.RenameField("operation", "may_land", "may_take_effect"),
        migrations.AddIndex(
            "operation",
            models.Index(
                fields=["order_uuid"],
                condition=Q(may_take_effect=True),
                name="operation_may_take_effect",
            ),
        ),
    ]
