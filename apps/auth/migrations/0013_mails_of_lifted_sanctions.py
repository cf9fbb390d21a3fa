"""Names the mails about the end of a ban and of a demand for a new password."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("identity", "0012_username_claims")]

    operations = [
        migrations.AlterField(
            model_name="mail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("verify_email", "Verify Email"),
                    ("email_requested", "Email Requested"),
                    ("email_changed", "Email Changed"),
                    ("reset_password", "Reset Password"),
                    ("password_changed", "Password Changed"),
                    ("confirm_code", "Confirm Code"),
                    ("new_device", "New Device"),
                    ("totp_added", "Totp Added"),
                    ("totp_removed", "Totp Removed"),
                    ("passkey_added", "Passkey Added"),
                    ("passkey_removed", "Passkey Removed"),
                    ("provider_linked", "Provider Linked"),
                    ("provider_unlinked", "Provider Unlinked"),
                    ("refresh_reused", "Refresh Reused"),
                    ("failed_logins", "Failed Logins"),
                    ("export_requested", "Export Requested"),
                    ("deletion_scheduled", "Deletion Scheduled"),
                    ("deletion_cancelled", "Deletion Cancelled"),
                    ("registration_received", "Registration Received"),
                    ("registration_approved", "Registration Approved"),
                    ("registration_rejected", "Registration Rejected"),
                    ("banned", "Banned"),
                    ("appeal_decided", "Appeal Decided"),
                    ("password_reset_demanded", "Password Reset Demanded"),
                    ("unbanned", "Unbanned"),
                    ("password_reset_waived", "Password Reset Waived"),
                ],
                max_length=30,
            ),
        ),
    ]
