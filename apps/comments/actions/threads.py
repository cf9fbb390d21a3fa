"""The state of a comment's row in its thread: shown, hidden, or deleted.

A tombstone is shown as long as visible replies are under it. Without any it is hidden, and in no `replies_count`, until
neither it nor anything under it can be restored. Rows are locked from a comment upwards, never downwards.
"""

from django.utils import timezone

from apps.comments.models import Comment, RemovedComment


def make_tombstone(comment: Comment) -> None:
    """Turns a locked comment into a tombstone; one without replies leaves its thread."""
    comment.user_id = None
    comment.content = ""
    comment.version += 1
    comment.deleted_at = comment.updated_at = timezone.now()
    comment.save(update_fields=["user_id", "content", "score", "version", "deleted_at", "updated_at"])
    if not comment.replies_count:
        _hide_upwards(comment)
        prune_tombstones(comment)


def _hide_upwards(comment: Comment) -> None:
    """Counts one reply less for the parent; if that hides the parent too, continues one level up, and so on."""
    parent = _lock_parent(comment)
    while parent is not None:
        parent.replies_count -= 1
        parent.save(update_fields=["replies_count"])
        parent = _lock_parent(parent) if parent.is_hidden else None


def show_ancestors(comment: Comment) -> None:
    """Counts one reply more for the parent; if that shows the parent again, continues one level up, and so on."""
    parent = _lock_parent(comment)
    while parent is not None:
        was_hidden = parent.is_hidden
        parent.replies_count += 1
        parent.save(update_fields=["replies_count"])
        parent = _lock_parent(parent) if was_hidden else None


def prune_tombstones(comment: Comment) -> None:
    """Deletes a locked row that is hidden and cannot be restored, then its parent if the same is true of it, and so
    on."""
    row: Comment | None = comment
    while row is not None and row.is_hidden and not _may_come_back(row):
        parent = _lock_parent(row)
        row.delete()
        row = parent


def _may_come_back(row: Comment) -> bool:
    """Whether it or something under it was removed and may be restored."""
    under_it = Comment.objects.filter(post_id=row.post_id, parent_comment_id=row.id)
    return RemovedComment.objects.filter(comment_id=row.id).exists() or under_it.exists()


def _lock_parent(row: Comment) -> Comment | None:
    return Comment.objects.select_for_update().filter(id=row.parent_comment_id).first()
