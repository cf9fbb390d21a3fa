"""Withholds comments, so that they can be restored as they were."""

from copy import copy

from apps.comments.actions.counts import change_count
from apps.comments.actions.threads import make_tombstone
from apps.comments.models import Comment, RemovedComment
from socialapp.contracts.comments import CommentRemoved
from socialapp.messaging.publish import publish


def withhold(comment: Comment, *, action_id: int | None, hidden: bool, waiting: bool = False) -> None:
    """Saves the content of a locked comment and leaves a tombstone in its place.

    `action_id` is the removal; None: it is only `hidden`, or `waiting` for review, and its author still sees it.
    """
    author_id = comment.user_id
    if author_id is None:
        raise ValueError(f"comment {comment.id} has no author, although it is not a tombstone")
    RemovedComment.objects.create(
        comment_id=comment.id,
        post_id=comment.post_id,
        user_id=author_id,
        content=comment.content,
        updated_at=comment.updated_at,
        action_id=action_id,
        hidden=hidden,
        waiting=waiting,
    )
    make_tombstone(comment)
    change_count(comment, by=-1)
    publish(CommentRemoved(comment_id=comment.id, post_id=comment.post_id, author_id=author_id))


def hold(comment: Comment) -> Comment:
    """Withholds a comment that a word rule holds back for review; returns it as its author still sees it."""
    if comment.hidden_at is None:
        comment.hidden_at = comment.created_at  # earlier than any decision of moderation
        comment.save(update_fields=["hidden_at"])
    seen = copy(comment)
    withhold(comment, action_id=None, hidden=True, waiting=True)
    seen.version, seen.withheld = comment.version, "waiting"
    return seen
