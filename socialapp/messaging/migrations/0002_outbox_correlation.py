"""Lets an outbox be asked for the events of one request. Processes of the release before write rows without it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bus", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="outboxevent",
            name="correlation",
            field=models.CharField(blank=True, db_default="", db_index=True, default="", max_length=64),
        ),
    ]
