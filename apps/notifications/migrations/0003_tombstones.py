"""Moves the tombstones of notifications into the table that every context has for them."""

from django.db import migrations


def copy(apps, schema_editor):
    """Copies every row; those of content become posts', as nothing here asks which kind they are."""
    tombstones = apps.get_model("lifecycle", "Tombstone").objects.using("notifications")
    for row in apps.get_model("notifications", "Tombstone").objects.using("notifications").iterator():
        kind = "user" if row.is_person else "post"
        tombstones.get_or_create(subject_id=row.id, defaults={"kind": kind})


class Migration(migrations.Migration):
    safe_after_release = "0.1.0"
    dependencies = [("notifications", "0002_sending"), ("lifecycle", "0001_initial")]

    operations = [
        migrations.RunPython(copy, migrations.RunPython.noop),
        migrations.DeleteModel(name="Tombstone"),
    ]
