"""The Celery application: tasks and events go to one queue pair per context; settings come from Django."""

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Self

from celery import Celery, signals
from celery.contrib.django.task import DjangoTask
from celery.exceptions import Ignore
from django.apps import apps
from django.db import close_old_connections
from kombu import Connection
from kombu.transport import TRANSPORT_ALIASES

from socialapp.core.answering import is_answering
from socialapp.core.contexts import CONTEXTS, served

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialapp.settings")

_EXPIRY_SECONDS = 60.0
_LONGEST_PAUSE = 3.0
_KERNEL_TASKS = ("socialapp.messaging", "socialapp.http", "socialapp.lifecycle", "socialapp.ops")


class _Connection(Connection):
    """Reconnects to an unavailable broker every few seconds: kombu's pauses grow to half a minute, which delays
    events."""

    def ensure_connection(self, *args: Any, **options: Any) -> Self:
        """Like kombu's, with shorter pauses."""
        return super().ensure_connection(*args, **{"interval_max": _LONGEST_PAUSE, **options})


class _Task(DjangoTask):  # type: ignore[type-arg]  # generic for type checkers only
    """Skips periodic tasks of contexts whose database does not answer; they come due again."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Like Celery's."""
        context = str(self.name).partition(".")[0]
        is_due = not self.request.called_directly and self.name in app.conf.beat_schedule
        if is_due and context in CONTEXTS and not is_answering(context):
            raise Ignore
        return super().__call__(*args, **options)


app = Celery("socialapp", task_cls=_Task)
app.amqp.Connection = _Connection
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()  # for all threads: a web process loads this in a request thread


@signals.setup_logging.connect
def _keep_django_logging(**_: Any) -> None:
    """Leaves the logging set-up to Django's settings."""


@signals.task_prerun.connect
def _keep_good_connections(**_: Any) -> None:
    """Tasks reuse connections as requests do, unless they are broken or too old."""
    close_old_connections()


def configure() -> None:
    """Sets up queues, routes and periodic tasks of every served context; called once all handlers are known."""
    from django.conf import settings

    from socialapp.messaging.transports.celery import TASKS, queues, slow_queue_name, task_queue_name

    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = "socialapp.messaging.transports.redis:Transport"
    slow = slow_tasks()
    app.conf.task_queues = queues(quorum=settings.BROKER_QUORUM_QUEUES, contexts_with_slow_tasks=slow)
    app.conf.task_default_queue_type = "quorum" if settings.BROKER_QUORUM_QUEUES else "classic"
    app.conf.update(task_default_exchange=TASKS.name, task_default_exchange_type=TASKS.type)
    app.conf.task_default_queue = task_queue_name(served()[0].name)
    app.conf.task_routes = {f"{name}.*": {"queue": task_queue_name(name)} for name in CONTEXTS}
    app.conf.task_routes |= {task: {"queue": slow_queue_name(name)} for name, tasks in slow.items() for task in tasks}
    schedule: dict[str, dict[str, object]] = {}
    for package in (*_KERNEL_TASKS, *(context.app for context in served())):
        schedule.update(_periodic_tasks(package))
    for entry in schedule.values():
        # Expired while no worker runs, as one of each is enough then. Not sooner, as a busy worker is late, too.
        entry["options"] = {"expires": max(_EXPIRY_SECONDS, float(str(entry["schedule"])))}
    app.conf.beat_schedule = schedule


def slow_tasks() -> dict[str, tuple[str, ...]]:
    """The slow tasks of served contexts, as in `SLOW` of their tasks.py; context → names."""
    found: dict[str, tuple[str, ...]] = {}
    for context in served():
        if find_spec(f"{context.app}.tasks") is not None:
            names: tuple[str, ...] = getattr(import_module(f"{context.app}.tasks"), "SLOW", ())
            if names:
                found[context.name] = names
    return found


def _periodic_tasks(app_module: str) -> dict[str, dict[str, object]]:
    """What an app's tasks.py lists in `PERIODIC`: task name → seconds between runs."""
    if find_spec(f"{app_module}.tasks") is None:
        return {}
    periodic: dict[str, float] = getattr(import_module(f"{app_module}.tasks"), "PERIODIC", {})
    return {name: {"task": name, "schedule": seconds} for name, seconds in periodic.items()}


if apps.ready:  # otherwise done by `socialapp.apps`, once all handlers are known
    configure()
