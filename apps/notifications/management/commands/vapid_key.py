"""`manage.py vapid_key`: prints a new key for Web Push, to be kept as VAPID_PRIVATE_KEY."""

from typing import Any

from django.core.management.base import BaseCommand

from socialapp.core.vapid import new_private_key


class Command(BaseCommand):
    """Browsers that subscribed with the old key must subscribe again when it is replaced."""

    help = "Prints a new key for Web Push, to be kept as VAPID_PRIVATE_KEY."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """See `BaseCommand.handle`."""
        self.stdout.write(new_private_key())
