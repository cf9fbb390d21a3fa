"""Fills what new accounts are compared with (mailbox and skeleton) for accounts made before these columns.

Of several accounts with one mailbox the oldest gets it: the others stay without, and go on as before.
"""

from django.db import migrations

from apps.auth.actions.names import mailbox_of, username_skeleton

BATCH = 500


def fill(apps, schema_editor):
    users = apps.get_model("identity", "User").objects.using(schema_editor.connection.alias)
    last_id = 0
    while rows := list(users.filter(id__gt=last_id).exclude(status="deleted").order_by("id")[:BATCH]):
        last_id = rows[-1].id
        wanted = {row.id: mailbox_of(row.email_key) for row in rows if row.email_key and not row.email_mailbox}
        taken = set(users.filter(email_mailbox__in=set(wanted.values())).values_list("email_mailbox", flat=True))
        for row in rows:
            row.username_skeleton = row.username_skeleton or username_skeleton(row.username)
            mailbox = wanted.get(row.id)
            if mailbox and mailbox not in taken:
                taken.add(mailbox)
                row.email_mailbox = mailbox
        users.bulk_update(rows, ["username_skeleton", "email_mailbox"])


class Migration(migrations.Migration):
    dependencies = [("identity", "0005_roles_changed_at")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
