"""Numbers the epochs of feeds in the order of their commits. The release before goes on with its own key in Redis."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("posts", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="FeedEpoch",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("number", models.PositiveBigIntegerField(default=0)),
                ("redis_run", models.CharField(blank=True, default="", max_length=64)),
            ],
            options={"db_table": "feed_epoch"},
        ),
    ]
