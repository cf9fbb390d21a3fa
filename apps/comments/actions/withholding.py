"""Withholding a comment, so that it can be restored as it was."""

from copy import copy

from apps.comments.actions.counts import change_count
from apps.comments.actions.threads import make_tombstone
from apps.comments.models import Comment, RemovedComment
from socialapp.contracts.comments import CommentRemoved
from socialapp.messaging.publish import publish


def withhold(comment: Comment, *, action_id: int | None, hidden: bool, waiting: bool = False) -> None:
    """Keeps what a comment was, and leaves a tombstone in its place. The caller has locked it.

    `action_id` is the removal; None: it is only `hidden`, or `waiting` for a moderator, and its author still sees it.
    """
    author_id = comment.user_id
    if author_id is None:
        raise ValueError(f"comment {comment.id} has no author: only a tombstone may be so")
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
    """Withholds a comment that a rule holds for a moderator; as its author goes on seeing it."""
    if comment.hidden_at is None:
        comment.hidden_at = comment.created_at  # before any decision of moderation
        comment.save(update_fields=["hidden_at"])
    seen = copy(comment)
    withhold(comment, action_id=None, hidden=True, waiting=True)
    seen.version, seen.withheld = comment.version, "waiting"
    return seen
