from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0027_selection")]

    operations = [
        migrations.RenameField(model_name="jobitem", old_name="seen", new_name="snapshot"),
    ]
