"""The stored counts: updated with the rows, and compared with them."""

from collections.abc import Iterable, Sequence

from apps.comments import queries
from apps.comments.models import NOT_HIDDEN, SLOTS, Comment, CommentCount
from apps.comments.queries import CountDrift
from socialapp.contracts.comments import COMMENT_COUNTS
from socialapp.core.db import transactional
from socialapp.core.fragments import forget
from socialapp.core.slotted_counts import SlottedCounts, slot_of


def forget_counts(keys: Iterable[tuple[int, int]]) -> None:
    """Invalidates cached comment counts, by (post, slot). Must be called in the transaction of the change."""
    forget(COMMENT_COUNTS, ids=(post_id for post_id, _ in keys), context="comments")


COUNTS = SlottedCounts(CommentCount, key=("post_id",), slots=SLOTS, changed=forget_counts)


def change_count(comment: Comment, *, by: int) -> None:
    """Adds to the comment count of `comment`'s post. Must be called in the transaction of the change."""
    COUNTS.add({count_key(comment): by})


def count_key(comment: Comment) -> tuple[int, int]:
    """The key of the count row for the comment: (post, slot)."""
    return comment.post_id, slot_of(comment.id, slots=SLOTS)


def check_posts(*, post_ids: Sequence[int], repair: bool) -> list[CountDrift]:
    """The wrong counts of these posts and their comments; corrected if `repair`."""
    found = [recheck_post_count(post_id=post_id, repair=repair) for post_id in queries.suspect_posts(post_ids=post_ids)]
    found += [
        recheck_replies_count(comment_id=comment_id, repair=repair)
        for comment_id in queries.suspect_threads(post_ids=post_ids)
    ]
    return [drift for drift in found if drift is not None]


@transactional("comments")
def recheck_post_count(*, post_id: int, repair: bool) -> CountDrift | None:
    """Compares the count of a post with its rows, under locks; corrects it if `repair`."""
    existing = Comment.objects.filter(post_id=post_id, deleted_at=None)
    wrong = COUNTS.recheck((post_id,), actual=existing.count, repair=repair)
    return CountDrift("comments_count", post_id, *wrong) if wrong else None


@transactional("comments")
def recheck_replies_count(*, comment_id: int, repair: bool) -> CountDrift | None:
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
    return CountDrift("replies_count", comment_id, counted, actual)
