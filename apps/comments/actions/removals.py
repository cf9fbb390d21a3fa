"""Removes and hides comments for moderators, and restores them after an accepted appeal."""

from collections.abc import Container, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from apps.comments import access
from apps.comments.actions.comments import CHANGED, author_of, delete_comment, forget_mentions
from apps.comments.actions.counts import change_count
from apps.comments.actions.threads import prune_tombstones, show_ancestors
from apps.comments.actions.withholding import withhold
from apps.comments.models import Comment, RemovedComment, RestoredRemoval
from socialapp.contracts.comments import CommentDeleted, CommentRestored
from socialapp.contracts.moderation import Moderation
from socialapp.core.db import atomic, transactional
from socialapp.core.errors import NotFound, require_version
from socialapp.core.principal import Principal
from socialapp.lifecycle.removal import refuse_if_deleted
from socialapp.messaging.publish import publish
from socialapp.rpc.calls import client

_BATCH = 100


def remove_as_moderator(*, moderator_id: int, comment_id: int, author_id: int, reason: str = "") -> None:
    """Removes somebody else's comment: moderation logs it and notifies the author; hidden once this returns.

    Forbidden if the author has the same rank or a higher one. Idempotent.
    """
    action_id = client(Moderation).remove(
        moderator_id=moderator_id, target_type="comment", target_id=comment_id, author_id=author_id, reason=reason
    )
    remove_comment(comment_id=comment_id, action_id=action_id)


def delete_or_remove_comment(
    *, principal: Principal, comment: Comment, expected_versions: Container[int] | None
) -> None:
    """Deletes a comment that the caller may delete; what staff removes from others goes through moderation."""
    require_version(comment.version, expected=expected_versions, detail=CHANGED)
    if comment.hidden_at is not None and _delete_removed_comment(comment.id):
        return
    if access.is_moderation(principal=principal, comment=comment):
        remove_as_moderator(moderator_id=principal.id, comment_id=comment.id, author_id=author_of(comment))
    else:
        delete_comment(comment_id=comment.id, expected_versions=expected_versions)


@transactional("comments")
def _delete_removed_comment(comment_id: int) -> bool:
    """Whether it was removed or hidden and is deleted now; not if a moderator has shown it again."""
    return delete_removed_comments([comment_id]) == 1


@transactional("comments")
def remove_comment(*, comment_id: int, action_id: int) -> None:
    """Hides a comment, leaving a tombstone if it has replies, and publishes CommentRemoved. Idempotent.

    Does nothing if the comment is gone, or if the removal was reversed before its event arrived. If it comes before the
    reversal of an earlier removal, it replaces that one.
    """
    if RestoredRemoval.objects.filter(action_id=action_id).exists():
        return
    comment = Comment.objects.select_for_update().filter(id=comment_id).first()
    if comment is not None and not comment.is_tombstone:
        withhold(comment, action_id=action_id, hidden=False)
    elif comment is not None:
        # If it was only hidden until now, its author no longer sees it either.
        earlier = RemovedComment.objects.filter(Q(action_id=None) | Q(action_id__lt=action_id), comment_id=comment_id)
        earlier.update(action_id=action_id, removed_at=timezone.now())


def restore_comment(*, comment_id: int, action_id: int) -> None:
    """Restores a comment as it was and publishes CommentRestored; does nothing if it was deleted since. Idempotent."""
    with suppress(NotFound), atomic("comments"):  # NotFound: its post or author is being deleted
        RestoredRemoval.objects.get_or_create(action_id=action_id)
        comment = Comment.objects.select_for_update().filter(id=comment_id).first()
        held = RemovedComment.objects.filter(comment_id=comment_id, action_id=action_id).first()
        if comment is None or held is None:
            return
        if held.hidden:
            RemovedComment.objects.filter(comment_id=comment_id).update(action_id=None)
        else:
            _bring_back(comment, held)


def hide_comment(*, comment_id: int, is_hidden: bool, at: datetime, is_waiting: bool = False) -> None:
    """Hides a comment from everybody but its author, or shows it again, unless a later decision was applied already.

    For everybody else it is as if it was removed. `is_waiting`: a moderator has yet to review it.
    """
    with suppress(NotFound), atomic("comments"):  # NotFound: its post or author is being deleted
        comment = Comment.objects.select_for_update().filter(id=comment_id).first()
        if comment is None or (comment.hidden_at is not None and comment.hidden_at >= at):
            return
        comment.hidden_at = at
        comment.save(update_fields=["hidden_at"])
        held = RemovedComment.objects.filter(comment_id=comment_id).first()
        if held is None:
            if is_hidden and not comment.is_tombstone:
                withhold(comment, action_id=None, hidden=True, waiting=is_waiting)
        elif is_hidden or held.action_id is not None:
            RemovedComment.objects.filter(comment_id=comment_id).update(
                hidden=is_hidden, waiting=is_waiting and is_hidden
            )
        else:
            _bring_back(comment, held)


def _bring_back(comment: Comment, held: RemovedComment) -> None:
    comment.user_id, comment.content = held.user_id, held.content
    comment.updated_at, comment.deleted_at = held.updated_at, None
    comment.version += 1
    comment.save(update_fields=["user_id", "content", "version", "updated_at", "deleted_at"])
    RemovedComment.objects.filter(comment_id=comment.id).delete()
    parent_id = comment.parent_comment_id
    parent = Comment.objects.filter(id=parent_id).first() if held.waiting and parent_id is not None else None
    refuse_if_deleted("comments", comment.post_id, held.user_id)
    if not comment.replies_count:
        show_ancestors(comment)
    change_count(comment, by=1)
    publish(
        CommentRestored(
            comment_id=comment.id,
            post_id=comment.post_id,
            author_id=held.user_id,
            was_waiting=held.waiting,
            parent_author_id=parent.user_id if parent is not None else None,
            at=timezone.now(),
        )
    )


@transactional("comments")
def delete_long_removed() -> bool:
    """Deletes removed comments permanently after twice the appeal period, when every appeal has been answered.

    Works in bounded steps; returns whether there may be more.
    """
    until = timezone.now() - timedelta(days=2 * settings.APPEAL_DAYS)
    old = RemovedComment.objects.filter(removed_at__lt=until).exclude(action_id=None).order_by("-comment_id")
    marks = RestoredRemoval.objects.filter(restored_at__lt=until)
    ids = list(old.values_list("comment_id", flat=True)[:_BATCH])
    delete_removed_comments(ids)
    mark_ids = list(marks.values_list("action_id", flat=True)[:_BATCH])
    RestoredRemoval.objects.filter(action_id__in=mark_ids).delete()
    return _BATCH in (len(ids), len(mark_ids))


def delete_removed_comments(comment_ids: Iterable[int]) -> int:
    """Deletes removed comments permanently; any with visible replies leave a tombstone. In the caller's transaction.

    Returns how many there were.
    """
    deleted = 0
    for comment_id in comment_ids:
        comment = Comment.objects.select_for_update().filter(id=comment_id).first()
        held = RemovedComment.objects.filter(comment_id=comment_id).first()
        if comment is None or held is None:
            continue  # restored or deleted meanwhile
        RemovedComment.objects.filter(comment_id=comment_id).delete()
        Comment.objects.filter(id=comment_id).update(score=0)
        forget_mentions([comment_id])
        prune_tombstones(comment)
        publish(deletion_of(held))
        deleted += 1
    return deleted


def deletion_of(held: RemovedComment) -> CommentDeleted:
    """The event that a removed comment was deleted permanently."""
    return CommentDeleted(comment_id=held.comment_id, post_id=held.post_id, author_id=held.user_id, was_withdrawn=True)
