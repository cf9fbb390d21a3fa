"""The Celery application: tasks and events go to one queue pair per context; settings come from Django."""

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialapp.settings")

app = Celery("socialapp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def _keep_django_logging(**_: Any) -> None:
    """Celery leaves the logging set-up to Django's settings."""


@app.on_after_finalize.connect
def _bind_queues(sender: Celery, **_: Any) -> None:
    from django.conf import settings

    from socialapp.bus.broker import queues
    from socialapp.contexts import CONTEXTS, served

    first = served()[0].name
    sender.conf.task_queues = queues(quorum=settings.BROKER_QUORUM_QUEUES)
    sender.conf.task_default_queue = f"tasks.{first}"
    sender.conf.task_routes = {f"{name}.*": {"queue": f"tasks.{name}"} for name in CONTEXTS}
    schedule: dict[str, dict[str, object]] = {
        "bus.reconcile": {"task": "bus.reconcile", "schedule": settings.RECONCILE_EVERY_SECONDS},
        "bus.prune": {"task": "bus.prune", "schedule": 3600.0},
    }
    for context in served():
        schedule.update(_periodic_tasks(context.app))
    sender.conf.beat_schedule = schedule


def _periodic_tasks(app_module: str) -> dict[str, dict[str, object]]:
    """What a context's tasks.py lists in `PERIODIC`: task name → seconds between runs."""
    from importlib import import_module
    from importlib.util import find_spec

    if find_spec(f"{app_module}.tasks") is None:
        return {}
    periodic: dict[str, float] = getattr(import_module(f"{app_module}.tasks"), "PERIODIC", {})
    return {name: {"task": name, "schedule": seconds} for name, seconds in periodic.items()}
