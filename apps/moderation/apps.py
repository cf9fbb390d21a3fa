"""The Django app of the moderation context."""

from django.apps import AppConfig


class ModerationConfig(AppConfig):
    """Registers what moderation serves to the other contexts."""

    name = "apps.moderation"
    label = "moderation"
    verbose_name = "Moderation"
