"""Detects and repairs drift of the counts of comments and replies, while people comment."""

from collections.abc import Sequence

from apps.comments import queries
from apps.comments.actions.counts import COUNTS
from apps.comments.models import NOT_HIDDEN, Comment
from socialapp.contracts.drift import Drift
from socialapp.core.db import transactional
from socialapp.lifecycle.drift import Compared, next_after


def check_counts(*, after: int, limit: int, repair: bool) -> Compared:
    """Checks the comment counts of the next posts, and the reply counts of their comments."""
    post_ids = queries.posts_in_order(after=after, limit=limit)
    drifts = check_posts(post_ids=post_ids, repair=repair)
    return Compared(compared=len(post_ids), drifts=drifts, next_id=next_after(post_ids, limit=limit))


def check_posts(*, post_ids: Sequence[int], repair: bool) -> list[Drift]:
    """The wrong counts of these posts and their comments; corrected if `repair`."""
    found = [
        _recheck_post_count(post_id=post_id, repair=repair) for post_id in queries.suspect_posts(post_ids=post_ids)
    ]
    found += [
        _recheck_replies_count(comment_id=comment_id, repair=repair)
        for comment_id in queries.suspect_threads(post_ids=post_ids)
    ]
    return [drift for drift in found if drift is not None]


@transactional("comments")
def _recheck_post_count(*, post_id: int, repair: bool) -> Drift | None:
    """Compares the count of a post with its rows, under locks; corrects it if `repair`."""
    existing = Comment.objects.filter(post_id=post_id, deleted_at=None)
    wrong = COUNTS.recheck((post_id,), actual=existing.count, repair=repair)
    return _drift("comments_count", post_id, *wrong) if wrong else None


@transactional("comments")
def _recheck_replies_count(*, comment_id: int, repair: bool) -> Drift | None:
    """Compares `replies_count` with the rows under a comment, under locks; corrects it if `repair`."""
    comment = Comment.objects.select_for_update().filter(id=comment_id).first()
    if comment is None:
        return None
    counted = comment.replies_count
    actual = Comment.objects.filter(NOT_HIDDEN, post_id=comment.post_id, parent_comment_id=comment_id).count()
    if counted == actual:
        return None
    if repair:
        comment.replies_count = actual
        comment.save(update_fields=["replies_count"])
    return _drift("replies_count", comment_id, counted, actual)


def _drift(projection: str, subject_id: int, held: int, actual: int) -> Drift:
    return Drift(projection=projection, id=subject_id, held=str(held), actual=str(actual))
