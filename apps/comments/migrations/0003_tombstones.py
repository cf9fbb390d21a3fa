"""Moves the marks of what is gone into the tombstones that every context has."""

from django.db import migrations


def copy(apps, schema_editor):
    """Copies each mark; a removal that was not finished becomes a job."""
    tombstone, job = apps.get_model("lifecycle", "Tombstone"), apps.get_model("lifecycle", "Job")
    for row in apps.get_model("comments", "GoneSubject").objects.using("comments").iterator():
        tombstone.objects.using("comments").get_or_create(subject_id=row.subject_id, defaults={"kind": row.kind})
        if not row.done:
            job.objects.using("comments").get_or_create(
                name=f"remove_{row.kind}", subject_id=row.subject_id, reference=row.erasure_id or 0
            )


class Migration(migrations.Migration):
    safe_after_release = "0.1.0"
    dependencies = [("comments", "0002_withdrawals"), ("lifecycle", "0001_initial")]

    operations = [
        migrations.RunPython(copy, migrations.RunPython.noop),
        migrations.DeleteModel(name="GoneSubject"),
    ]
