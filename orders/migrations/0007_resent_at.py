from django.db import migrations, models
from django.db.models import F


def keep_when(apps, schema_editor):
    """Until now the time of the second sending took the place of the first."""
    operations = apps.get_model("orders", "Operation").objects.using(schema_editor.connection.alias)
    operations.filter(was_resent=True).update(resent_at=F("sent_at"))


def keep_whether(apps, schema_editor):
    operations = apps.get_model("orders", "Operation").objects.using(schema_editor.connection.alias)
    operations.exclude(resent_at=None).update(was_resent=True, sent_at=F("resent_at"))


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0006_shortcuts"),
    ]

    operations = [
        migrations.AddField(
            model_name="operation",
            name="resent_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(keep_when, keep_whether),
        migrations.RemoveField(
            model_name="operation",
            name="was_resent",
        ),
    ]
