"""SQL of comments: rows in, rows out."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db.models import Count, Q

from apps.comments.models import NOT_HIDDEN, Comment, CommentCount, CommentMention, RemovedComment
from socialapp.contracts.comments import CommentCount as PostCommentCount
from socialapp.contracts.comments import CommentDocument, ThreadLine
from socialapp.core.ids import id_time
from socialapp.core.pages import Page, PageRequest, paginate
from socialapp.core.sql import placeholders, select
from socialapp.core.text.mentions import find_mentions
from socialapp.lifecycle.removal import deleted_among

_AROUND, _BESIDE, _MOST_ABOVE = 10, 3, 5
SORTS: dict[str, tuple[str, ...]] = {"oldest": ("id",), "newest": ("-id",), "top": ("-score", "-id")}


# --- Comments -----------------------------------------------------------------------------------------------------


def comment_or_tombstone(comment_id: int) -> Comment | None:
    """The comment or its tombstone. One query."""
    return Comment.objects.filter(id=comment_id).first()


def existing_comments(comment_ids: Iterable[int], *, viewer_id: int | None) -> list[Comment]:
    """Those of the comments that are not tombstones, and those of the viewer that a moderator hid from others: ids,
    author and time only. One query, and another if one was ever hidden."""
    exists = Q(deleted_at=None) | Q(hidden_at__isnull=False)
    shown = ("id", "post_id", "user_id", "created_at", "deleted_at", "hidden_at")
    rows = list(Comment.objects.filter(exists, id__in=list(comment_ids)).only(*shown))
    show_to_author(rows, viewer_id=viewer_id)
    return [row for row in rows if not row.is_tombstone]


def comments_with(comment_ids: Sequence[int], *, viewer_id: int | None) -> list[Comment]:
    """Those of the comments that are not tombstones for the viewer, in the order of the ids. One query, and one more
    if any of them was ever hidden."""
    found = {row.id: row for row in Comment.objects.filter(id__in=comment_ids)}
    show_to_author(list(found.values()), viewer_id=viewer_id)
    return [found[id_] for id_ in comment_ids if id_ in found and not found[id_].is_tombstone]


def comment_page(
    *, post_id: int, parent_comment_id: int | None, sort: str, page: PageRequest, viewer_id: int | None = None
) -> Page[Comment]:
    """One page of a post's top-level comments, or of the direct replies to one of them, in one of `SORTS`.

    Includes the viewer's own hidden comments, with their content. Two queries for a viewer, otherwise one.
    """
    hidden: dict[int, RemovedComment] = {}
    if viewer_id is not None:
        own = RemovedComment.objects.filter(post_id=post_id, user_id=viewer_id, hidden=True, action_id=None)
        hidden = {row.comment_id: row for row in own}
    shown = NOT_HIDDEN | Q(id__in=list(hidden)) if hidden else NOT_HIDDEN
    rows = Comment.objects.filter(shown, post_id=post_id, parent_comment_id=parent_comment_id)
    found = paginate(rows, page=page, order=SORTS[sort])
    for comment in found.items:
        if comment.id in hidden:
            _show_to_author(comment, hidden[comment.id])
    return found


def show_to_author(comments: Sequence[Comment], *, viewer_id: int | None) -> None:
    """Gives those comments their content that a moderator hid from others than the viewer. A query if any of them was
    ever hidden."""
    hidden = {row.id: row for row in comments if row.is_tombstone and row.hidden_at is not None}
    if viewer_id is None or not hidden:
        return
    own = RemovedComment.objects.filter(comment_id__in=list(hidden), user_id=viewer_id, hidden=True, action_id=None)
    for held in own:
        _show_to_author(hidden[held.comment_id], held)


def _show_to_author(comment: Comment, held: RemovedComment) -> None:
    comment.user_id, comment.content = held.user_id, held.content
    comment.updated_at, comment.deleted_at = held.updated_at, None
    comment.withheld = "waiting" if held.waiting else "hidden"


def comments_after(*, after: int, limit: int) -> list[Comment]:
    """Up to `limit` comments and visible tombstones with ids above `after`, ascending. One query."""
    return list(Comment.objects.filter(NOT_HIDDEN, id__gt=after).order_by("id")[:limit])


def documents(*, comment_ids: Sequence[int]) -> list[CommentDocument]:
    """Those of the comments that are not deleted, as documents. One query, two if some mention people."""
    rows = list(Comment.objects.filter(id__in=comment_ids, deleted_at=None))
    mentions = mentioned_in(row.id for row in rows if find_mentions(row.content))
    return [
        CommentDocument(
            id=row.id,
            post_id=row.post_id,
            author_id=row.user_id,
            content=row.content,
            created_at=row.created_at,
            has_media=row.has_media,
            mentions=mentions.get(row.id, {}),
            written_at=row.updated_at,
        )
        for row in rows
        if row.user_id is not None
    ]


def mentioned_in(comment_ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """Whom the names in the comments meant, by comment and name; without comments that mention nobody. At most one
    query."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    rows = CommentMention.objects.filter(comment_id__in=list(comment_ids)).order_by("id")
    for comment_id, username, user_id in rows.values_list("comment_id", "username", "user_id"):
        found[comment_id][username] = user_id
    return found


def thread_around(*, post_id: int, comment_id: int | None) -> list[ThreadLine]:
    """The thread around a comment, or the first comments on a post. At most eight queries."""
    of_post = Comment.objects.filter(post_id=post_id).order_by("id")
    here = of_post.filter(id=comment_id).first() if comment_id is not None else None
    if here is None:
        return [_thread_line(row) for row in of_post.filter(parent_comment=None)[:_AROUND]]
    above: list[Comment] = []
    parent_id = here.parent_comment_id
    while parent_id is not None and len(above) < _MOST_ABOVE:
        parent = of_post.filter(id=parent_id).first()
        if parent is None:
            break
        above.insert(0, parent)
        parent_id = parent.parent_comment_id
    beside = of_post.filter(parent_comment_id=here.parent_comment_id)
    before = list(beside.filter(id__lt=here.id).order_by("-id")[:_BESIDE])[::-1]
    answers, after = of_post.filter(parent_comment_id=here.id)[:_AROUND], beside.filter(id__gt=here.id)[:_BESIDE]
    return [_thread_line(row) for row in (*above, *before, here, *answers, *after)]


def _thread_line(row: Comment) -> ThreadLine:
    return ThreadLine(id=row.id, author_id=row.user_id, content=row.content, depth=row.depth, created_at=row.created_at)


def removed(*, comment_ids: Sequence[int]) -> list[CommentDocument]:
    """The content of those comments that moderators removed and may restore. Two queries."""
    rows = RemovedComment.objects.filter(comment_id__in=comment_ids)
    illustrated = set(Comment.objects.filter(id__in=comment_ids, has_media=True).values_list("id", flat=True))
    return [
        CommentDocument(
            id=row.comment_id,
            post_id=row.post_id,
            author_id=row.user_id,
            content=row.content,
            created_at=id_time(row.comment_id),
            is_waiting=row.waiting,
            has_media=row.comment_id in illustrated,
            written_at=row.updated_at,
        )
        for row in rows
    ]


def posts_with_comments(post_ids: Iterable[int]) -> set[int]:
    """Those of the posts that have comments or tombstones. One query."""
    rows = Comment.objects.filter(post_id__in=list(post_ids)).order_by("post_id")
    return set(rows.values_list("post_id", flat=True).distinct())


def users_in_comments(user_ids: Collection[int]) -> set[int]:
    """Those of the people who wrote comments that are not deleted, or are mentioned in some. Two queries."""
    found: set[int] = set()
    for model in (Comment, CommentMention):
        rows = model._default_manager.filter(user_id__in=user_ids).order_by("user_id")
        ids = rows.values_list("user_id", flat=True).distinct()
        found.update(user_id for user_id in ids if user_id is not None)
    return found


# --- Counts -------------------------------------------------------------------------------------------------------


_COUNTS_SQL = "SELECT post_id, SUM(count) FROM comment_counts WHERE post_id IN ({}) GROUP BY post_id"


def counts(*, post_ids: Sequence[int]) -> list[PostCommentCount]:
    """The number of comments on each post, without tombstones; posts without any are omitted. One query."""
    if not post_ids:
        return []
    rows = select(CommentCount, sql=_COUNTS_SQL.format(placeholders(post_ids)), values=post_ids)
    return [PostCommentCount(post_id=post_id, count=int(total)) for post_id, total in rows if total]


def posts_in_order(*, after: int, limit: int) -> list[int]:
    """Up to `limit` ids greater than `after`, ascending, of posts that have comments or counts."""
    found: set[int] = set()
    for rows in (Comment.objects.all(), CommentCount.objects.all()):
        ids = rows.filter(post_id__gt=after).values_list("post_id", flat=True).order_by("post_id").distinct()
        found.update(ids[:limit])
    return sorted(found)[:limit]


def recently_changed_posts(*, since: datetime, limit: int) -> list[int]:
    """Up to `limit` posts whose number of comments changed since then."""
    rows = CommentCount.objects.filter(updated_at__gte=since).values_list("post_id", flat=True)
    return list(rows.order_by("post_id").distinct()[:limit])


def suspect_posts(*, post_ids: Sequence[int]) -> list[int]:
    """Those of the posts whose count seems to differ from their rows; read without locks, so a write may be in
    progress."""
    existing = Comment.objects.filter(post_id__in=post_ids, deleted_at=None).values("post_id").annotate(n=Count("id"))
    actual = dict(existing.values_list("post_id", "n"))
    counted = {count.post_id: count.count for count in counts(post_ids=post_ids)}
    return [post_id for post_id in _not_gone(post_ids) if actual.get(post_id, 0) != counted.get(post_id, 0)]


def suspect_threads(*, post_ids: Sequence[int]) -> list[int]:
    """Those comments of the posts whose `replies_count` seems to differ from the rows under them; read without
    locks."""
    remaining = _not_gone(post_ids)
    replies = Comment.objects.filter(NOT_HIDDEN, post_id__in=remaining, parent_comment__isnull=False)
    actual = dict(replies.values("parent_comment_id").annotate(n=Count("id")).values_list("parent_comment_id", "n"))
    stored = Comment.objects.filter(post_id__in=remaining).exclude(replies_count=0).values_list("id", "replies_count")
    counted = dict(stored)
    return sorted(
        comment_id
        for comment_id in actual.keys() | counted.keys()
        if actual.get(comment_id, 0) != counted.get(comment_id, 0)
    )


def _not_gone(post_ids: Sequence[int]) -> list[int]:
    """Without posts whose comments are being deleted: their counts are deleted before their last rows."""
    gone = deleted_among("comments", ids=post_ids)
    return [post_id for post_id in post_ids if post_id not in gone]
