"""VendorGate is named ApiLimits and Wording is named SearchText; their rows stay."""

from django.db import migrations

from orders import schema


def drop_full_text(table):
    def run(apps, schema_editor):
        schema.drop_full_text(schema_editor.connection, table)

    return run


def create_full_text(table, former_table):
    def run(apps, schema_editor):
        schema.create_full_text(
            schema_editor.connection, table, "folded", former_table=former_table
        )

    return run


class Migration(migrations.Migration):
    dependencies = [("orders", "0007_resent_at")]

    operations = [
        migrations.RenameModel("VendorGate", "ApiLimits"),
        migrations.RunPython(
            drop_full_text("orders_wording"),
            create_full_text("orders_wording", "orders_searchtext"),
        ),
        migrations.RenameModel("Wording", "SearchText"),
        migrations.RunPython(
            create_full_text("orders_searchtext", "orders_wording"),
            drop_full_text("orders_searchtext"),
        ),
    ]
