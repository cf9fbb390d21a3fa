"""The Django app of the notifications context."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Registers what notifications serves to the other contexts."""

    name = "apps.notifications"
    label = "notifications"
    verbose_name = "Notifications"
