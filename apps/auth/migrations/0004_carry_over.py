"""Carries addresses, linked providers, authenticator apps and roles over to where allauth and roles keep them."""

from django.db import migrations

USER_ROLE_ID = 3


def carry_over(apps, schema_editor):
    connection = schema_editor.connection
    alias = connection.alias
    role = apps.get_model("identity", "Role").objects.using(alias)
    user_role, _ = role.get_or_create(name="user", defaults={"id": USER_ROLE_ID})
    user = apps.get_model("identity", "User")
    # A row of user_roles may have the id of its user: all ids come from one sequence, so that none is there yet.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO user_roles (id, user_id, role_id) SELECT id, id, %s FROM users WHERE status <> 'deleted'",
            [user_role.id],
        )
        cursor.execute(
            "INSERT INTO account_emailaddress (user_id, email, verified, `primary`)"
            " SELECT id, email_key, email_verified, 1 FROM users WHERE status <> 'deleted' AND email_key IS NOT NULL"
        )
        cursor.execute(
            "INSERT INTO socialaccount_socialaccount (user_id, provider, uid, last_login, date_joined, extra_data)"
            " SELECT id, oauth_provider, oauth_id, created_at, created_at, '{}' FROM users"
            " WHERE status <> 'deleted' AND oauth_id IS NOT NULL"
        )
    authenticator = apps.get_model("mfa", "Authenticator").objects.using(alias)
    devices = apps.get_model("identity", "TotpDevice").objects.using(alias)
    for device in devices.exclude(confirmed_at=None).iterator():
        authenticator.create(
            user_id=device.user_id,
            type="totp",
            data={"secret": device.secret, "last_step": device.last_step},
            created_at=device.confirmed_at,
        )
    devices.exclude(confirmed_at=None).delete()
    user.objects.using(alias).filter(oauth_id=None).update(oauth_provider="local")


class Migration(migrations.Migration):
    dependencies = [
        ("identity", "0003_accounts"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("socialaccount", "0006_alter_socialaccount_extra_data"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]
    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop, elidable=True)]
