"""Bulk import of comments, with the same counts and events as writing them one by one."""

from collections import Counter
from collections.abc import Sequence

from django.db.models import F

from apps.comments.access import MAX_DEPTH, LoadableComment
from apps.comments.actions.comments import add_mentions
from apps.comments.actions.counts import COUNTS, count_key
from apps.comments.actions.threads import show_ancestors
from apps.comments.models import Comment
from socialapp.contracts.bulk import Rejected
from socialapp.contracts.comments import CommentCreated
from socialapp.core.db import transactional
from socialapp.lifecycle.removal import refuse_if_deleted
from socialapp.messaging.publish import publish


@transactional("comments")
def load_comments(*, comments: Sequence[LoadableComment]) -> list[Rejected]:
    """Writes the comments that do not exist yet, in one transaction; rejects those without their parent and those with
    the id of another comment.

    Parents must come before their replies. NotFound, with nothing written, if a post or author is deleted meanwhile.
    """
    wanted = [comment.id for comment in comments]
    present = Comment.objects.in_bulk(wanted)
    parents = _lock_parents(comments)
    made: list[tuple[LoadableComment, Comment]] = []
    rejected: list[Rejected] = []
    for comment in comments:
        if (found := present.get(comment.id)) is not None:
            if not _is_same(comment, found):
                rejected.append(Rejected(index=comment.index, reason="this id belongs to another comment"))
            continue
        if reason := _fault(comment, parents):
            rejected.append(Rejected(index=comment.index, reason=reason))
            continue
        row = _row(comment, parents)
        present[row.id] = row
        parents[row.id] = row
        made.append((comment, row))
    Comment.objects.bulk_create([row for _, row in made])
    add_mentions({comment.id: comment.mentions for comment, _ in made})
    refuse_if_deleted(
        "comments", *{row.post_id for _, row in made}, *{row.user_id for _, row in made if row.user_id is not None}
    )
    _count([row for _, row in made], parents)
    publish(*(_created(comment, parents) for comment, row in made if not row.is_tombstone))
    return rejected


def _lock_parents(comments: Sequence[LoadableComment]) -> dict[int, Comment]:
    ids = {comment.parent_id for comment in comments if comment.parent_id is not None}
    rows = Comment.objects.select_for_update().filter(id__in=ids).order_by("id") if ids else []
    return {row.id: row for row in rows}


def _is_same(comment: LoadableComment, row: Comment) -> bool:
    """Whether the row is this record's comment, which may have been edited or deleted since."""
    if (row.post_id, row.parent_comment_id) != (comment.post.id, comment.parent_id):
        return False
    is_newer = row.is_tombstone or row.updated_at > comment.updated_at
    return row.user_id in (None, comment.author_id) and (is_newer or row.content == comment.content)


def _fault(comment: LoadableComment, parents: dict[int, Comment]) -> str:
    """Why the comment cannot have this parent; "" if it can."""
    if comment.parent_id is None:
        return ""
    parent = parents.get(comment.parent_id)
    if parent is None or parent.post_id != comment.post.id:
        return "there is no such comment on this post to reply to"
    return f"threads are at most {MAX_DEPTH} replies deep" if parent.depth >= MAX_DEPTH else ""


def _row(comment: LoadableComment, parents: dict[int, Comment]) -> Comment:
    edited = comment.author_id is not None and comment.updated_at > comment.created_at
    return Comment(
        id=comment.id,
        post_id=comment.post.id,
        user_id=comment.author_id,
        parent_comment_id=comment.parent_id,
        content=comment.content,
        created_at=comment.created_at,
        updated_at=comment.updated_at,
        edited=edited,
        version=2 if edited else 1,
        depth=parents[comment.parent_id].depth + 1 if comment.parent_id is not None else 0,
        deleted_at=None if comment.author_id is not None else comment.updated_at,
    )


def _count(rows: Sequence[Comment], parents: dict[int, Comment]) -> None:
    existing = [row for row in rows if not row.is_tombstone]
    replies = Counter(row.parent_comment_id for row in existing if row.parent_comment_id is not None)
    for number in sorted(set(replies.values())):
        parent_ids = [parent_id for parent_id, found in replies.items() if found == number]
        Comment.objects.filter(id__in=parent_ids).update(replies_count=F("replies_count") + number)
    for parent_id in replies:
        if parents[parent_id].is_hidden:  # stale: these rows were read before
            show_ancestors(parents[parent_id])
    COUNTS.add(Counter(map(count_key, existing)))


def _created(comment: LoadableComment, parents: dict[int, Comment]) -> CommentCreated:
    if comment.author_id is None:
        raise ValueError("a tombstone was never created")
    parent = parents.get(comment.parent_id) if comment.parent_id is not None else None
    return CommentCreated(
        comment_id=comment.id,
        post_id=comment.post.id,
        post_author_id=comment.post.author_id,
        author_id=comment.author_id,
        parent_comment_id=comment.parent_id,
        parent_author_id=parent.user_id if parent else None,
        mention_ids=list(comment.mentions.values()),
        created_at=comment.created_at,
    )
