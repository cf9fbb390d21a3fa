"""Moves UnfinishedWork into the tables that every context has for deletions and long work."""

from django.db import migrations


def copy(apps, schema_editor):
    """Copies every row."""
    jobs = apps.get_model("lifecycle", "Job").objects.using("users")
    names = {"erase": "remove_user", "accept": "accept_requests"}
    for row in apps.get_model("users", "UnfinishedWork").objects.using("users").iterator():
        jobs.get_or_create(name=names[row.kind], subject_id=row.user_id, reference=row.erasure_id)


class Migration(migrations.Migration):
    safe_after_release = "0.1.0"
    dependencies = [("users", "0001_initial"), ("lifecycle", "0001_initial")]

    operations = [
        migrations.RunPython(copy, migrations.RunPython.noop),
        migrations.DeleteModel(name="UnfinishedWork"),
    ]
