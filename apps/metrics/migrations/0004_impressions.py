"""Impressions beside views, and the name that deltas have in the code; their table keeps its own."""

from django.db import migrations, models

_METRICS = ["views", "impressions", "reactions", "comments", "reposts", "posts", "followers", "registrations"]


class Migration(migrations.Migration):
    dependencies = [("metrics", "0003_tombstones")]

    operations = [
        migrations.RenameModel("Change", "MetricDelta"),
        migrations.AddField("postrollup", "impressions", models.BigIntegerField(db_default=0, default=0)),
        migrations.AddField("overallrollup", "impressions", models.BigIntegerField(db_default=0, default=0)),
        migrations.AlterField(
            "metricdelta",
            "metric",
            models.CharField(choices=[(name, name.capitalize()) for name in _METRICS], max_length=16),
        ),
    ]
