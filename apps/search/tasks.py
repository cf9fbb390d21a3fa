"""Periodic tasks of search."""

from datetime import timedelta

from celery import shared_task

from apps.search import actions

# Events are kept for a week; anything later was replayed by hand.
_TOMBSTONE_AGE = timedelta(days=30)

PERIODIC = {"search.forget_tombstones": 86_400.0}


@shared_task(name="search.forget_tombstones")
def forget_tombstones() -> None:
    """Deletes tombstones that are older than any event in flight. Idempotent."""
    actions.forget_tombstones(older_than=_TOMBSTONE_AGE)
