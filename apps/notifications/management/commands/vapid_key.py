"""`manage.py vapid_key`: prints a new key for Web Push, for the setting VAPID_PRIVATE_KEY."""

from typing import Any

from django.core.management.base import BaseCommand

from socialapp.core.vapid import new_private_key


class Command(BaseCommand):
    """Generates a key. When it is replaced, browsers that subscribed with the old one must subscribe again."""

    help = "Prints a new key for Web Push, for the setting VAPID_PRIVATE_KEY."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """See `BaseCommand.handle`."""
        self.stdout.write(new_private_key())
