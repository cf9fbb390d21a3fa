"""The periodic work of comments: going on with removals, and comparing recent counts with the rows."""

from dataclasses import asdict
from datetime import timedelta

import structlog
from celery import shared_task
from django.utils import timezone

from apps.comments import actions, queries

PERIODIC: dict[str, float] = {
    "comments.continue_removals": 5.0,
    "comments.check_counts": 300.0,
    "comments.delete_long_withdrawn": 3600.0,
}

log = structlog.get_logger()

_SUBJECTS = 20
_STEPS = 50
_CHECK_MINUTES = 15
_CHECK_POSTS = 500


@shared_task(name="comments.continue_removals")
def continue_removals() -> None:
    """Goes on erasing gone people's comments and those on gone posts, some thousands a run. Idempotent."""
    for subject_id in queries.unfinished_removals(limit=_SUBJECTS):
        _continue_removal(subject_id)


def _continue_removal(subject_id: int) -> None:
    for _ in range(_STEPS):
        if actions.continue_removal(subject_id=subject_id):
            break


@shared_task(name="comments.check_counts")
def check_counts() -> None:
    """Corrects the counts of recently changed posts, should they differ from the rows, and says so in the log.

    Before, it removes what slipped past a recent removal.
    """
    since = timezone.now() - timedelta(minutes=_CHECK_MINUTES)
    for subject_id in queries.unclean_removals(since=since):
        log.warning("comments.removal_repaired", subject_id=subject_id)
        _continue_removal(subject_id)
    for fault in actions.check_posts(
        post_ids=queries.recently_changed_posts(since=since, limit=_CHECK_POSTS), repair=True
    ):
        log.error("comments.count_repaired", **asdict(fault))


@shared_task(name="comments.delete_long_withdrawn")
def delete_withdrawn() -> None:
    """Deletes what moderators removed so long ago that nobody can appeal any more, some thousands a run. Idempotent."""
    for _ in range(_STEPS):
        if not actions.delete_long_withdrawn():
            break
