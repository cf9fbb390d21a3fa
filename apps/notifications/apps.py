"""The Django app of the notifications context."""

from django.apps import AppConfig

from socialapp.contracts.drift import DriftChecks
from socialapp.rpc.calls import serve


class NotificationsConfig(AppConfig):
    """Registers the services that notifications provides to the other contexts."""

    name = "apps.notifications"
    label = "notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        """Serves the contracts."""
        from apps.notifications.service import NotificationsDriftChecks

        serve(DriftChecks, implementation=NotificationsDriftChecks(), context="notifications")
