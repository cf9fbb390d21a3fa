"""The Django app of the project itself, ready last: once all handlers and tasks are known."""

import gc

from django.apps import AppConfig


class SocialappConfig(AppConfig):
    """Configures Celery and traces."""

    name = "socialapp"
    label = "socialapp"
    verbose_name = "socialapp"

    def ready(self) -> None:
        """Gives every served context its queues, routes and periodic tasks, and has libraries traced if wanted."""
        from socialapp.celery import configure  # importing it makes it the app that shared tasks belong to
        from socialapp.telemetry import traces

        configure()
        traces.instrument()
        gc.enable()  # see manage.py
