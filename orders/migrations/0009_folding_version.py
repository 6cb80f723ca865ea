"""What is stored was folded by version 1; the worker folds it again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0008_rename_api_limits_search_text")]

    operations = [
        migrations.AddField(
            model_name="syncstate",
            name="folding_version",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AlterField(
            model_name="syncstate",
            name="folding_version",
            field=models.PositiveSmallIntegerField(default=2),
        ),
        migrations.AddField(
            model_name="syncstate",
            name="refolded_until",
            field=models.UUIDField(null=True),
        ),
    ]
