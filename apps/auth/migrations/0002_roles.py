"""Seeds the two roles."""

from django.db import migrations


def seed(apps, schema_editor):
    role = apps.get_model("identity", "Role")
    for number, name in enumerate(("admin", "moderator"), start=1):
        role.objects.using(schema_editor.connection.alias).get_or_create(name=name, defaults={"id": number})


class Migration(migrations.Migration):
    dependencies = [("identity", "0001_initial")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop, elidable=True)]
