"""Moves ErasedUser into the tables that every context has for deletions and long work."""

from django.db import migrations


def copy(apps, schema_editor):
    """Copies every row."""
    tombstones = apps.get_model("lifecycle", "Tombstone").objects.using("moderation")
    for row in apps.get_model("moderation", "ErasedUser").objects.using("moderation").iterator():
        tombstones.get_or_create(subject_id=row.id, defaults={"kind": "user"})


class Migration(migrations.Migration):
    safe_after_release = "0.1.0"
    dependencies = [("moderation", "0002_withdrawals"), ("lifecycle", "0001_initial")]

    operations = [
        migrations.RunPython(copy, migrations.RunPython.noop),
        migrations.DeleteModel(name="ErasedUser"),
    ]
