"""The Django app of the reactions context."""

from django.apps import AppConfig


class ReactionsConfig(AppConfig):
    """Registers what reactions serves to the other contexts."""

    name = "apps.reactions"
    label = "reactions"
    verbose_name = "Reactions"
