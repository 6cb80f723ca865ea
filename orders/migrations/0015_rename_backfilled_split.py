from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0014_operation_evidence")]

    operations = [
        migrations.RenameField("syncstate", "dated_at", "backfilled_at"),
        migrations.RenameField("syncwindow", "dated_at", "backfilled_at"),
        migrations.RenameField("syncwindow", "cut_from", "split_from"),
    ]
