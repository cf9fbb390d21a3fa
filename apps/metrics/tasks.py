"""Periodic tasks of metrics."""

from datetime import timedelta

from celery import shared_task

from apps.metrics import actions

PERIODIC = {"metrics.roll_up": 15.0, "metrics.delete_old_hours": 3600.0}

_SETTLE = timedelta(seconds=10)


@shared_task(name="metrics.roll_up")
def roll_up() -> None:
    """Adds all recorded deltas to the roll-ups. Safe to run concurrently."""
    while actions.roll_up(older_than=_SETTLE) == actions.ROLL_UP_BATCH:
        pass


@shared_task(name="metrics.delete_old_hours")
def delete_old_hours() -> None:
    """Deletes hourly roll-ups past their retention. Idempotent."""
    while actions.delete_old_hours():
        pass
