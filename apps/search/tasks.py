"""The periodic work of search."""

from datetime import timedelta

from celery import shared_task

from apps.search import actions

# Events are kept for a week; what is later than this was replayed by hand.
_TOMBSTONE_AGE = timedelta(days=30)

PERIODIC = {"search.forget_tombstones": 86_400.0}


@shared_task(name="search.forget_tombstones")
def forget_tombstones() -> None:
    """Removes the marks of deletions that are older than any event still under way."""
    actions.forget_tombstones(older_than=_TOMBSTONE_AGE)
