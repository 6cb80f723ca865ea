"""The roles as groups, and the triggers that make the audit append-only."""

from django.db import migrations

from orders.triggers import create_triggers, drop_triggers

ROLES = ("viewer", "agent", "lead", "admin")


def make_groups(apps, schema_editor):
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    for role in ROLES:
        groups.get_or_create(name=role)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.RunPython(make_groups, migrations.RunPython.noop),
        migrations.RunPython(
            lambda _apps, editor: create_triggers(editor.connection),
            lambda _apps, editor: drop_triggers(editor.connection),
        ),
    ]
