"""The stored counts, updated with the rows."""

from collections.abc import Iterable

from apps.comments.models import SLOTS, Comment, CommentCount
from socialapp.contracts.comments import COMMENT_COUNTS
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
