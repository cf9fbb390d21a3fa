"""The Django app of the comments context."""

from django.apps import AppConfig


class CommentsConfig(AppConfig):
    """Registers what comments serves to the other contexts."""

    name = "apps.comments"
    label = "comments"
    verbose_name = "Comments"
