from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0003_index"),
    ]

    operations = [
        migrations.CreateModel(
            name="SeenActivity",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="SyncState",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token", models.PositiveBigIntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("total", models.PositiveBigIntegerField(null=True)),
                ("imported", models.PositiveBigIntegerField(default=0)),
                ("known_before", models.PositiveBigIntegerField(default=0)),
                ("is_full_wanted", models.BooleanField(default=False)),
                ("suspicion", models.TextField(blank=True)),
                ("is_suspicion_accepted", models.BooleanField(default=False)),
                ("watermark", models.DateTimeField(null=True)),
                ("is_feed_missing", models.BooleanField(default=False)),
                ("tried_at", models.DateTimeField(null=True)),
                ("synced_at", models.DateTimeField(null=True)),
                ("reread_at", models.DateTimeField(null=True)),
                ("dated_at", models.DateTimeField(null=True)),
                ("reconcile_started_at", models.DateTimeField(null=True)),
                ("reconciled_at", models.DateTimeField(null=True)),
                ("drift_new", models.PositiveBigIntegerField(default=0)),
                ("drift_changed", models.PositiveBigIntegerField(default=0)),
                ("drift_missing", models.PositiveBigIntegerField(default=0)),
                ("problem", models.TextField(blank=True)),
                ("failing_since", models.DateTimeField(null=True)),
                ("retry_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="SyncWindow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("after", models.DateTimeField(null=True)),
                ("before", models.DateTimeField()),
                ("cut_from", models.PositiveBigIntegerField(null=True)),
                ("total", models.PositiveBigIntegerField(null=True)),
                ("extra", models.BigIntegerField(default=0)),
                ("done_at", models.DateTimeField(null=True)),
                ("dated_at", models.DateTimeField(null=True)),
                ("checked_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-before"],
            },
        ),
    ]
