"""The periodic work of metrics."""

from datetime import timedelta

from celery import shared_task

from apps.metrics import actions

PERIODIC = {"metrics.fold": 15.0, "metrics.drop_old_hours": 3600.0}

_SETTLE = timedelta(seconds=10)


@shared_task(name="metrics.fold")
def fold() -> None:
    """Folds everything that was noted into the roll-ups."""
    while actions.fold_changes(older_than=_SETTLE) == actions.FOLD_CHANGES:
        pass


@shared_task(name="metrics.drop_old_hours")
def drop_old_hours() -> None:
    """Removes hourly roll-ups past their time."""
    while actions.drop_old_hours():
        pass
