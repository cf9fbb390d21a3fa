"""The Django app of the posts context."""

from django.apps import AppConfig


class PostsConfig(AppConfig):
    """Registers what posts serves to the other contexts."""

    name = "apps.posts"
    label = "posts"
    verbose_name = "Posts"
