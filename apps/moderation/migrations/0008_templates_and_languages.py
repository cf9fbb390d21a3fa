"""Adds templates of reasons and a guess at the language of a case; names the log."""

import django.utils.timezone
from django.db import migrations, models

import socialapp.core.db


class Migration(migrations.Migration):
    dependencies = [("moderation", "0007_acts_and_rules")]

    operations = [
        migrations.CreateModel(
            name="ReasonTemplate",
            fields=[
                ("id", socialapp.core.db.IdField(serialize=False)),
                ("name", models.CharField(max_length=60, unique=True)),
                ("text", models.CharField(help_text="Sent to the person.", max_length=1000)),
                (
                    "rule_number",
                    models.PositiveSmallIntegerField(blank=True, help_text="Of the installation's rules.", null=True),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={"db_table": "reason_templates"},
        ),
        migrations.AlterModelOptions(
            name="action",
            options={"verbose_name": "log entry", "verbose_name_plural": "log of decisions"},
        ),
        migrations.AddField(
            model_name="case",
            name="language",
            field=models.CharField(blank=True, db_default="", default="", max_length=2),
        ),
    ]
