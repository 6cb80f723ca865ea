"""The words of people's names and addresses, with their trigrams."""

from itertools import batched

from django.db import migrations, models

from orders.text import letter_runs, trigrams

_BATCH = 5_000
# As orders.text.letter_runs yields them; without a rowid on SQLite, in byte order on PostgreSQL.
_TABLES = {
    "sqlite": (
        "CREATE TABLE orders_spelling (word varchar(30) NOT NULL PRIMARY KEY) WITHOUT ROWID",
        "CREATE TABLE orders_spellingtrigram (trigram varchar(3) NOT NULL, word varchar(30) NOT NULL,"
        " PRIMARY KEY (trigram, word)) WITHOUT ROWID",
    ),
    "postgresql": (
        'CREATE TABLE orders_spelling (word varchar(30) COLLATE "C" NOT NULL PRIMARY KEY)',
        'CREATE TABLE orders_spellingtrigram (trigram varchar(3) COLLATE "C" NOT NULL,'
        ' word varchar(30) COLLATE "C" NOT NULL, PRIMARY KEY (trigram, word))',
    ),
}


def create(apps, schema_editor):
    for statement in _TABLES[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE orders_spelling")
    schema_editor.execute("DROP TABLE orders_spellingtrigram")


def fill(apps, schema_editor):
    alias = schema_editor.connection.alias
    people = apps.get_model("orders", "Order").objects.using(alias).order_by()
    senders = apps.get_model("orders", "Label").objects.using(alias).filter(kind="sender")
    words = set()
    for texts in (people.values_list("people"), senders.values_list("folded")):
        for (text,) in texts.iterator(_BATCH):
            words.update(letter_runs(text))
    spelling, trigram = (apps.get_model("orders", name) for name in ("Spelling", "SpellingTrigram"))
    for some in batched(sorted(words), _BATCH):
        spelling.objects.using(alias).bulk_create(spelling(word=word) for word in some)
        trigram.objects.using(alias).bulk_create(
            trigram(trigram=one, word=word) for word in some for one in trigrams(word)
        )


class Migration(migrations.Migration):
    dependencies = [("orders", "0019_finding_hidden")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    "Spelling",
                    [
                        (
                            "word",
                            models.CharField(max_length=30, primary_key=True, serialize=False),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    "SpellingTrigram",
                    [
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "trigram",
                                "word",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("trigram", models.CharField(max_length=3)),
                        ("word", models.CharField(max_length=30)),
                    ],
                ),
            ],
            database_operations=[migrations.RunPython(create, drop)],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
