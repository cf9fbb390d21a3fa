"""The stored counts: changed with the rows, and compared with them."""

from collections.abc import Mapping, Sequence

from django.utils import timezone

from apps.comments import queries
from apps.comments.models import NOT_HIDDEN, SLOTS, Comment, CommentCount
from apps.comments.queries import CountDrift
from socialapp.core.db import transactional
from socialapp.core.sql import add


def slot_of(comment_id: int) -> int:
    """The slot that a comment is counted in. The lowest 16 bits of an id hardly vary, so they are left out."""
    return (comment_id >> 16) % SLOTS


def change_count(post_id: int, *, slot: int, by: int) -> None:
    """Adds to the number of comments on a post, in one slot. Needs the transaction that changes the comments."""
    add_to_counts({(post_id, slot): by})


def add_to_counts(numbers: Mapping[tuple[int, int], int]) -> None:
    """Adds to many counts, by (post, slot). Needs the transaction that changes the comments."""
    additions = {key: (number,) for key, number in numbers.items()}
    add(CommentCount, additions, key=("post_id", "slot"), numbers=("count",), updated_at=timezone.now())


def check_posts(*, post_ids: Sequence[int], repair: bool) -> list[CountDrift]:
    """The wrong counts of these posts and of the comments on them; each is corrected if `repair`."""
    found = [recheck_post_count(post_id=post_id, repair=repair) for post_id in queries.suspect_posts(post_ids=post_ids)]
    found += [
        recheck_replies_count(comment_id=comment_id, repair=repair)
        for comment_id in queries.suspect_threads(post_ids=post_ids)
    ]
    return [drift for drift in found if drift is not None]


@transactional("comments")
def recheck_post_count(*, post_id: int, repair: bool) -> CountDrift | None:
    """Compares the count of a post with its rows while nobody can change either; corrects it if `repair`."""
    # With every slot there and locked, whoever is writing a comment has either finished or not counted it yet.
    add_to_counts({(post_id, slot): 0 for slot in range(SLOTS)})
    slots = list(CommentCount.objects.select_for_update().filter(post_id=post_id).order_by("slot"))
    counted = sum(row.count for row in slots)
    actual = Comment.objects.filter(post_id=post_id, deleted_at=None).count()
    if counted == actual:
        return None
    if repair:
        slots[0].count += actual - counted
        slots[0].save(update_fields=["count", "updated_at"])
    return CountDrift("comments_count", post_id, counted, actual)


@transactional("comments")
def recheck_replies_count(*, comment_id: int, repair: bool) -> CountDrift | None:
    """Compares `replies_count` with the rows under a comment while nobody can change them; repairs it if told."""
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
