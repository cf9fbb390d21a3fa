"""The Django app of the project itself, ready last: once all handlers and tasks are known."""

import gc
import sys

from django.apps import AppConfig


class SocialappConfig(AppConfig):
    """Configures traces, and Celery where that is loaded already."""

    name = "socialapp"
    label = "socialapp"
    verbose_name = "socialapp"

    def ready(self) -> None:
        """Has libraries traced if wanted. Celery's own command has loaded its application before this."""
        from socialapp.telemetry import traces

        if "socialapp.celery" in sys.modules:
            from socialapp.celery import configure

            configure()
        traces.instrument()
        gc.enable()  # see manage.py
