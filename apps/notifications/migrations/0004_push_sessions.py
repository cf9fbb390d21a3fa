"""Records which session made a push subscription."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0003_tombstones")]

    operations = [
        migrations.AddField(
            model_name="pushsubscription",
            name="session_id",
            field=models.BigIntegerField(blank=True, null=True),
        ),
    ]
