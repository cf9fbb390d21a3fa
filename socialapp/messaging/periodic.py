"""Triggers periodic tasks early: work queued by a transaction need not wait for the next run."""

from functools import partial

import structlog

from socialapp.core.db import after_commit
from socialapp.messaging.application import celery_app

log = structlog.get_logger()


def run_after_commit(context: str, *, task: str) -> None:
    """Has a worker run the periodic task `task` once the open transaction on `context` has committed."""
    after_commit(context, callback=partial(_send, task))


def _send(task: str) -> None:
    try:
        celery_app().send_task(task, retry=False)
    except Exception as error:  # brokers raise various errors; the task runs on schedule anyway
        log.warning("bus.task_not_sent", task=task, error=repr(error))
