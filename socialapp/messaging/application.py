"""Celery's application, loaded by the first sender or receiver of a task: most web processes do without it for long."""

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


def celery_app() -> Any:
    """The application that `TASKS_APPLICATION` names, with all its queues, routes and periodic tasks."""
    return import_string(settings.TASKS_APPLICATION)
