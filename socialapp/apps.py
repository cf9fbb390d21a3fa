"""The Django app of the project itself, ready last, when all handlers and tasks are known."""

import gc
import sys

from django.apps import AppConfig


class SocialappConfig(AppConfig):
    """Configures traces, and Celery if it is loaded already."""

    name = "socialapp"
    label = "socialapp"
    verbose_name = "socialapp"

    def ready(self) -> None:
        """Instruments libraries if tracing is on. Celery's own command has loaded its application before this."""
        from socialapp.telemetry import traces

        if "socialapp.celery" in sys.modules:
            from socialapp.celery import configure

            configure()
        traces.instrument()
        gc.freeze()  # what is loaded stays: a first look through all of it would be an eighth of the time to start
        gc.enable()  # see manage.py
