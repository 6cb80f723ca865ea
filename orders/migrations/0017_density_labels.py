"""New labels of the two densities; the stored values stay."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0016_odd_values")]

    operations = [
        migrations.AlterField(
            model_name="profile",
            name="density",
            field=models.CharField(
                choices=[
                    ("regular", "Comfortable, two lines a row"),
                    ("compact", "Compact, one line a row"),
                ],
                default="regular",
                max_length=10,
            ),
        ),
    ]
