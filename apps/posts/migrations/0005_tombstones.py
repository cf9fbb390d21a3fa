"""Moves the tombstones of posts' authors into the table that every context has for them."""

from django.db import migrations


def copy(apps, schema_editor):
    """Copies every row."""
    tombstones = apps.get_model("lifecycle", "Tombstone").objects.using("posts")
    for row in apps.get_model("posts", "ErasedAuthor").objects.using("posts").iterator():
        tombstones.get_or_create(subject_id=row.user_id, defaults={"kind": "user"})


class Migration(migrations.Migration):
    safe_after_release = "0.1.0"
    dependencies = [("posts", "0004_media"), ("lifecycle", "0001_initial")]

    operations = [
        migrations.RunPython(copy, migrations.RunPython.noop),
        migrations.DeleteModel(name="ErasedAuthor"),
    ]
