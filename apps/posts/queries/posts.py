"""Posts: rows, and what is counted and kept beside them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from apps.posts.models import Post, RemovedPost, Repost, RepostCount
from socialapp.contracts.posts import PostRef
from socialapp.core.sql import as_utc, placeholders, select


class PostRow(NamedTuple):
    """A post as the database holds it; plain values, as hot reads make no model instances."""

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


class CountsRow(NamedTuple):
    """How often posts were reposted, by post, and which of them somebody keeps or reposted."""

    reposts: dict[int, int]
    bookmarked: frozenset[int]
    reposted: frozenset[int]


_COLUMNS = ", ".join(f"`{name}`" for name in PostRow._fields)  # "sensitive" is a reserved word of MariaDB's
_ROWS_SQL = f"SELECT {_COLUMNS}, marked_sensitive FROM posts WHERE id IN ({{}})"  # noqa: S608 (names of ours only)


def post_rows(post_ids: Iterable[int]) -> list[PostRow]:
    """The posts among `post_ids` that exist, whoever may see them, in any order.

    One query, in SQL as every list reads through here.
    """
    ids = list(post_ids)
    if not ids:
        return []
    return [_post_row(values) for values in select(Post, _ROWS_SQL.format(placeholders(ids)), ids)]


def _post_row(columns: tuple[Any, ...]) -> PostRow:
    *values, media, sensitive, content_warning, hidden, comments_locked, waiting, marked_sensitive = columns
    post_id, user_id, content, is_private, created_at, updated_at, version, edited, hashtags, mentions = values
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
            Post, _REFS_SQL.format(placeholders(post_ids)), post_ids
        )
    ]


_COUNTS_SQL = (
    "SELECT post_id, count FROM repost_counts WHERE post_id IN ({0})"
    " UNION ALL SELECT post_id, -1 FROM bookmarks WHERE user_id = %s AND post_id IN ({0})"
    " UNION ALL SELECT post_id, -2 FROM reposts WHERE user_id = %s AND post_id IN ({0})"
)


def post_counts(*, user_id: int | None, post_ids: Sequence[int]) -> CountsRow:
    """The reposts of posts, and which of them the user keeps or reposted. One query."""
    arguments = [*post_ids, user_id or 0, *post_ids, user_id or 0, *post_ids]
    rows = select(RepostCount, _COUNTS_SQL.format(placeholders(post_ids)), arguments)
    return CountsRow(
        # MariaDB makes a decimal of a column that unites unsigned and signed numbers.
        reposts={post_id: int(count) for post_id, count in rows if count >= 0},
        bookmarked=frozenset(post_id for post_id, count in rows if count == -1),
        reposted=frozenset(post_id for post_id, count in rows if count == -2),
    )


def author_of(post_id: int) -> int | None:
    """Who wrote a post that is there, or that moderators removed and that may come back. Two queries at most."""
    for model in (Post, RemovedPost):
        for author_id in model._default_manager.filter(id=post_id).values_list("user_id", flat=True):
            return int(author_id)
    return None


def removed_author_of(post_id: int) -> int | None:
    """Who wrote a post that moderators removed and that may come back. One query."""
    return RemovedPost.objects.filter(id=post_id).values_list("user_id", flat=True).first()


def posts_after(after: int, *, limit: int) -> list[Post]:
    """Up to `limit` posts with greater ids, ascending. One query."""
    return list(Post.objects.filter(id__gt=after).order_by("id")[:limit])


def repost_counts(post_ids: Sequence[int]) -> dict[int, int]:
    """How often each post was reposted; one that never was may be left out. One query."""
    return dict(RepostCount.objects.filter(post_id__in=post_ids).values_list("post_id", "count"))


def reposters_among(*, post_ids: Iterable[int], user_ids: Iterable[int]) -> dict[int, list[int]]:
    """Who of these people has reposted each of these posts, by ascending id. One query."""
    rows = Repost.objects.filter(post_id__in=list(post_ids), user_id__in=list(user_ids))
    found: dict[int, list[int]] = {}
    for post_id, user_id in rows.order_by("user_id").values_list("post_id", "user_id"):
        found.setdefault(post_id, []).append(user_id)
    return found
