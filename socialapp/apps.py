"""The Django app of the project itself, ready last: it configures Celery once all handlers and tasks are known."""

from django.apps import AppConfig


class SocialappConfig(AppConfig):
    """Configures Celery."""

    name = "socialapp"
    label = "socialapp"
    verbose_name = "socialapp"

    def ready(self) -> None:
        """Gives every served context its queues, routes and periodic tasks."""
        from socialapp.celery import configure  # importing it makes it the app that shared tasks belong to

        configure()
