"""SQL of posts: rows, with the counts and marks beside them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from apps.posts.models import MutedPost, Post, RemovedPost, Repost, RepostCount
from apps.posts.queries.link_previews import PREVIEW_COLUMNS, PreviewRow, preview_row
from socialapp.contracts.posts import PostRef
from socialapp.core.sql import as_utc, placeholders, select


class PostRow(NamedTuple):
    """A post as the database holds it: plain values, as hot reads create no model instances."""

    id: int
    user_id: int
    content: str
    is_private: bool
    created_at: datetime
    updated_at: datetime
    version: int
    edited: bool
    hashtags: list[str]
    mentions: list[tuple[int, str]]
    media: str  # JSON, as Post.media; empty without media
    sensitive: bool
    content_warning: str
    hidden: bool = False
    comments_locked: bool = False
    waiting: bool = False
    # From other tables: its reposts, whether the viewer bookmarked or reposted it, its link's preview.
    reposts: int = 0
    bookmarked: bool = False
    reposted: bool = False
    link: PreviewRow | None = None


POST_COLUMNS = PostRow._fields[: PostRow._fields.index("reposts")]
_COLUMNS = ", ".join(f"posts.`{name}`" for name in POST_COLUMNS)  # "sensitive" is a reserved word of MariaDB's
_ROWS_SQL = (
    f"SELECT {_COLUMNS}, posts.marked_sensitive, repost_counts.count,"  # noqa: S608 (names of ours only)
    # Joins, as MariaDB plans every EXISTS like a query of its own.
    " bookmarks.id IS NOT NULL, reposts.id IS NOT NULL,"
    f" {', '.join(f'link_previews.{name}' for name in PREVIEW_COLUMNS)} FROM posts"
    " LEFT JOIN bookmarks ON bookmarks.user_id = %s AND bookmarks.post_id = posts.id"
    " LEFT JOIN reposts ON reposts.user_id = %s AND reposts.post_id = posts.id"
    " LEFT JOIN repost_counts ON repost_counts.post_id = posts.id"
    " LEFT JOIN post_links ON post_links.post_id = posts.id"
    " LEFT JOIN link_previews ON link_previews.url_key = post_links.url_key AND link_previews.title <> ''"
    " WHERE posts.id IN ({})"
)


def post_rows(post_ids: Iterable[int], *, viewer_id: int | None) -> list[PostRow]:
    """The posts among `post_ids` that exist, whoever may see them, in any order, with the viewer's bookmark and repost.

    One query, in SQL because every list reads through it.
    """
    ids = list(post_ids)
    if not ids:
        return []
    values = [viewer_id or 0, viewer_id or 0, *ids]
    return [_post_row(columns) for columns in select(Post, sql=_ROWS_SQL.format(placeholders(ids)), values=values)]


def _post_row(columns: tuple[Any, ...]) -> PostRow:
    post_id, user_id, content, is_private, created_at, updated_at, version, edited, hashtags, mentions = columns[:10]
    media, sensitive, content_warning, hidden, comments_locked, waiting, marked_sensitive = columns[10:17]
    reposts, bookmarked, reposted, *preview = columns[17:]
    return PostRow(
        post_id,
        user_id,
        content,
        bool(is_private),
        as_utc(created_at),
        as_utc(updated_at),
        version,
        bool(edited),
        orjson.loads(hashtags),
        orjson.loads(mentions),
        media or "",
        bool(sensitive or marked_sensitive),
        content_warning,
        bool(hidden),
        bool(comments_locked),
        bool(waiting),
        reposts or 0,
        bool(bookmarked),
        bool(reposted),
        preview_row(preview) if preview[0] else None,
    )


_REFS_SQL = "SELECT id, user_id, is_private, created_at, hidden, comments_locked FROM posts WHERE id IN ({})"


def post_refs(post_ids: Sequence[int]) -> list[PostRef]:
    """References to the posts among `post_ids` that exist, without reading their texts. One query."""
    if not post_ids:
        return []
    return [
        PostRef(
            id=post_id,
            author_id=user_id,
            is_private=bool(is_private),
            created_at=as_utc(created_at),
            hidden=bool(hidden),
            comments_locked=bool(comments_locked),
        )
        for post_id, user_id, is_private, created_at, hidden, comments_locked in select(
            Post, sql=_REFS_SQL.format(placeholders(post_ids)), values=post_ids
        )
    ]


def author_of(post_id: int) -> int | None:
    """The author of a post that exists or was removed but may be restored.

    One query: between two, the post could be restored, and be in neither.
    """
    removed = RemovedPost.objects.filter(id=post_id).values_list("user_id", flat=True)
    return next(iter(Post.objects.filter(id=post_id).values_list("user_id", flat=True).union(removed, all=True)), None)


def removed_author_of(post_id: int) -> int | None:
    """The author of a post that moderators removed and may restore. One query."""
    return RemovedPost.objects.filter(id=post_id).values_list("user_id", flat=True).first()


def posts_after(*, after: int, limit: int) -> list[Post]:
    """Up to `limit` posts with ids above `after`, ascending. One query."""
    return list(Post.objects.filter(id__gt=after).order_by("id")[:limit])


def repost_counts(post_ids: Sequence[int]) -> dict[int, int]:
    """The number of reposts of each post; posts without any may be omitted. One query."""
    return dict(RepostCount.objects.filter(post_id__in=post_ids).values_list("post_id", "count"))


def reposters_among(*, post_ids: Iterable[int], user_ids: Iterable[int]) -> dict[int, list[int]]:
    """Which of these people have reposted each of these posts, by ascending id. One query."""
    rows = Repost.objects.filter(post_id__in=list(post_ids), user_id__in=list(user_ids))
    found: dict[int, list[int]] = {}
    for post_id, user_id in rows.order_by("user_id").values_list("post_id", "user_id"):
        found.setdefault(post_id, []).append(user_id)
    return found


def muted_posts(pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the (post, person) pairs whose person muted the post. One query."""
    if not pairs:
        return set()
    posts, people = {post_id for post_id, _ in pairs}, {user_id for _, user_id in pairs}
    sql = (
        "SELECT post_id, user_id FROM muted_posts"  # noqa: S608
        f" WHERE post_id IN ({placeholders(posts)}) AND user_id IN ({placeholders(people)})"
    )
    return {(post_id, user_id) for post_id, user_id in select(MutedPost, sql=sql, values=[*posts, *people])}
