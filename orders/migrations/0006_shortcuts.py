from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0005_findings_views"),
    ]

    operations = [
        migrations.AddField(
            model_name="profile",
            name="has_shortcuts",
            field=models.BooleanField(default=True),
        ),
    ]
