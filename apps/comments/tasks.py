"""The periodic work of comments: comparing recent counts with the rows."""

from dataclasses import asdict
from datetime import timedelta

import structlog
from celery import shared_task
from django.utils import timezone

from apps.comments import actions, queries

PERIODIC: dict[str, float] = {
    "comments.check_counts": 300.0,
    "comments.delete_long_removed": 3600.0,
}

log = structlog.get_logger()

_STEPS = 50
_CHECK_MINUTES = 15
_CHECK_POSTS = 500


@shared_task(name="comments.check_counts")
def check_counts() -> None:
    """Corrects the counts of recently changed posts, should they differ from the rows, and says so in the log."""
    since = timezone.now() - timedelta(minutes=_CHECK_MINUTES)
    for drift in actions.check_posts(
        post_ids=queries.recently_changed_posts(since=since, limit=_CHECK_POSTS), repair=True
    ):
        log.error("comments.count_repaired", **asdict(drift))


@shared_task(name="comments.delete_long_removed")
def delete_removed() -> None:
    """Deletes what moderators removed so long ago that nobody can appeal any more, some thousands a run. Idempotent."""
    for _ in range(_STEPS):
        if not actions.delete_long_removed():
            break
