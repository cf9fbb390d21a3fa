"""Erases everything on a deleted post or by a deleted person, in steps; tombstones block late events."""

from apps.comments.actions.comments import author_of, delete_existing, forget_mentions
from apps.comments.actions.removals import delete_removed_comments, deletion_of
from apps.comments.models import Comment, CommentCount, CommentMention, RemovedComment
from apps.comments.queries import posts_with_comments, users_in_comments
from socialapp.contracts.comments import COMMENT_COUNTS, CommentDeleted
from socialapp.core.fragments import forget
from socialapp.lifecycle.removal import declare_removal
from socialapp.messaging.publish import publish

BATCH = 100


def _remove_comments_on(post_id: int) -> bool:
    """Deletes some of a post's comments and tombstones, with an event for each comment."""
    # In index order: sorting first would read and lock all comments for every chunk.
    in_order = Comment.objects.select_for_update().filter(post_id=post_id).order_by("parent_comment_id", "id")
    rows = list(in_order[:BATCH])
    ids = [row.id for row in rows]
    removed = list(RemovedComment.objects.filter(comment_id__in=ids))
    RemovedComment.objects.filter(comment_id__in=ids).delete()
    forget_mentions(ids)
    Comment.objects.filter(id__in=ids).delete()
    CommentCount.objects.filter(post_id=post_id).delete()
    forget(COMMENT_COUNTS, ids=[post_id], context="comments")
    publish(
        *(
            CommentDeleted(comment_id=row.id, post_id=row.post_id, author_id=author_of(row))
            for row in rows
            if not row.is_tombstone
        ),
        *map(deletion_of, removed),
    )
    return len(rows) < BATCH


def _remove_comments_by(user_id: int) -> bool:
    """Deletes some of a user's comments, and mentions of them; a comment with replies leaves a tombstone without a
    trace of its author."""
    rows = Comment.objects.select_for_update().filter(user_id=user_id).order_by("-id")
    ids = list(rows.values_list("id", flat=True)[:BATCH])
    for comment_id in ids:
        # Read one by one: deleting a reply changes its parent's count, and the parent may be next.
        delete_existing(Comment.objects.get(id=comment_id))
    removed = RemovedComment.objects.filter(user_id=user_id).order_by("-comment_id")
    removed_ids = list(removed.values_list("comment_id", flat=True)[:BATCH])
    delete_removed_comments(removed_ids)
    mentions = CommentMention.objects.filter(user_id=user_id).order_by("-id")
    mention_ids = list(mentions.values_list("id", flat=True)[:BATCH])
    CommentMention.objects.filter(id__in=mention_ids).delete()
    return max(len(ids), len(removed_ids), len(mention_ids)) < BATCH


declare_removal("comments", kind="post", step=_remove_comments_on, leftovers=posts_with_comments)
declare_removal("comments", kind="user", step=_remove_comments_by, leftovers=users_in_comments)
