"""Periodic tasks of comments."""

from dataclasses import asdict
from datetime import timedelta

import structlog
from celery import shared_task
from django.utils import timezone

from apps.comments import actions, queries

PERIODIC = {
    "comments.check_counts": 300.0,
    "comments.delete_long_removed": 3600.0,
}

log = structlog.get_logger()

_STEPS = 50
_CHECK_MINUTES = 15
_CHECK_POSTS = 500


@shared_task(name="comments.check_counts")
def check_counts() -> None:
    """Corrects and logs the counts of recently changed posts that differ from the rows. Idempotent."""
    since = timezone.now() - timedelta(minutes=_CHECK_MINUTES)
    recent = queries.recently_changed_posts(since=since, limit=_CHECK_POSTS)
    for drift in actions.check_posts(post_ids=recent, repair=True):
        log.error("comments.count_repaired", **asdict(drift))


@shared_task(name="comments.delete_long_removed")
def delete_long_removed() -> None:
    """Deletes what moderators removed so long ago that nobody can appeal any more, in bounded steps. Idempotent."""
    for _ in range(_STEPS):
        if not actions.delete_long_removed():
            break
