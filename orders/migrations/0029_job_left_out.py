from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0028_job_item_snapshot")]

    operations = [
        migrations.AddField(
            model_name="job", name="left_out", field=models.PositiveIntegerField(default=0)
        ),
    ]
