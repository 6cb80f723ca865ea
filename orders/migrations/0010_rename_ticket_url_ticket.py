"""A ticket is a web address or a reference."""

from django.db import migrations, models

# The columns are the same; a copy of the audit's table would lose its triggers.
ticket = models.CharField(blank=True, max_length=500)


class Migration(migrations.Migration):
    dependencies = [("orders", "0009_folding_version")]

    operations = [
        migrations.RenameField("operation", "ticket_url", "ticket"),
        migrations.RenameField("auditentry", "ticket_url", "ticket"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField("operation", "ticket", ticket),
                migrations.AlterField("auditentry", "ticket", ticket),
            ]
        ),
    ]
