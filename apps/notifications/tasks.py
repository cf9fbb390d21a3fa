"""The Celery tasks of notifications."""

from celery import shared_task

from apps.notifications import actions

PERIODIC = {"notifications.prune_read": 3600.0}


@shared_task(name="notifications.prune_read")
def prune_read() -> None:
    """Deletes what was read long ago. Periodic; idempotent."""
    actions.prune_read()
