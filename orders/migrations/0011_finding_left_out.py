from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0010_rename_ticket_url_ticket")]

    operations = [
        migrations.AddField(
            model_name="finding", name="left_out", field=models.JSONField(default=list)
        ),
    ]
