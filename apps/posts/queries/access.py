"""The one rule of who may see a post, and the loading of posts through it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from apps.posts.models import Post
from socialapp.contracts.posts import PostRef
from socialapp.contracts.users import Author, ProfileSummary, Users
from socialapp.core.errors import NotFound
from socialapp.core.sql import as_utc, placeholders, select
from socialapp.rpc.calls import client

_FOLLOWER_PAGE = 5000


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
    media: list[dict[str, Any]]
    sensitive: bool
    content_warning: str


@dataclass(frozen=True, slots=True)
class Visibility:
    """How one viewer (None: anonymous) may see some authors."""

    viewer_id: int | None
    following_version: int
    authors: dict[int, Author]

    def may_see(self, author_id: int, *, is_private: bool) -> bool:
        """The rule: the author is active, neither blocks the other, and what is private is for followers."""
        if not self.may_meet(author_id):
            return False
        return self.is_let_in(author_id) or not (is_private or self.authors[author_id].is_private)

    def may_meet(self, author_id: int) -> bool:
        """Whether the author is there at all for the viewer."""
        author = self.authors.get(author_id)
        return author is not None and author.active and not author.blocked

    def is_let_in(self, author_id: int) -> bool:
        """Whether the viewer is the author or follows them: private posts are for these."""
        author = self.authors.get(author_id)
        return author is not None and (author_id == self.viewer_id or author.follows)

    def shows(self, row: PostRow) -> bool:
        """The rule for a post."""
        return self.may_see(row.user_id, is_private=row.is_private)


class Seen(NamedTuple):
    """A post that the rule has let through, with its place in the list that is read and who brought it there."""

    position: int
    row: PostRow
    author: Author
    reposted_by: ProfileSummary | None = None


def was_for_followers(post: Seen) -> bool:
    """Whether only followers could read the present text since it was written, as the account is private since then."""
    if not post.author.is_private:
        return False
    return client(Users).is_private_since(user_id=post.row.user_id, moment=post.row.updated_at)


def load_visibility(viewer_id: int | None, author_ids: Iterable[int]) -> Visibility:
    """How `viewer_id` may see these authors: one call, whatever their number."""
    wanted = sorted(set(author_ids))
    audience = client(Users).audience(viewer_id=viewer_id, author_ids=wanted)
    return Visibility(viewer_id, audience.following_version, {author.card.id: author for author in audience.authors})


_COLUMNS = ", ".join(f"`{name}`" for name in PostRow._fields)  # "sensitive" is a reserved word of MariaDB's
_ROWS_SQL = f"SELECT {_COLUMNS} FROM posts WHERE id IN ({{}})"  # noqa: S608 (names of ours only)


def post_rows(post_ids: Iterable[int]) -> list[PostRow]:
    """The posts among `post_ids` that exist, whoever may see them, in any order.

    One query, in SQL as every list reads through here.
    """
    ids = list(post_ids)
    if not ids:
        return []
    return [_post_row(values) for values in select(Post, _ROWS_SQL.format(placeholders(ids)), ids)]


def _post_row(columns: tuple[Any, ...]) -> PostRow:
    *values, media, sensitive, content_warning = columns
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
        orjson.loads(media) if media else [],
        bool(sensitive),
        content_warning,
    )


def visible_posts(viewer_id: int | None, post_ids: Sequence[int]) -> list[Seen]:
    """Those of the posts that the viewer may see, in the order of `post_ids`. One query and one call."""
    rows = {row.id: row for row in post_rows(post_ids)}
    sight = load_visibility(viewer_id, (row.user_id for row in rows.values()))
    return [
        Seen(row.id, row, sight.authors[row.user_id])
        for post_id in post_ids
        if (row := rows.get(post_id)) and sight.shows(row)
    ]


_REFS_SQL = "SELECT id, user_id, is_private, created_at FROM posts WHERE id IN ({})"


def visible_refs(viewer_id: int | None, post_ids: Sequence[int]) -> list[PostRef]:
    """References to those of the posts that the viewer may see. As `visible_posts`, but without reading their texts."""
    if not post_ids:
        return []
    refs = [
        PostRef(id=post_id, author_id=user_id, is_private=bool(is_private), created_at=as_utc(created_at))
        for post_id, user_id, is_private, created_at in select(Post, _REFS_SQL.format(placeholders(post_ids)), post_ids)
    ]
    sight = load_visibility(viewer_id, (ref.author_id for ref in refs))
    return [ref for ref in refs if sight.may_see(ref.author_id, is_private=ref.is_private)]


def visible_post(viewer_id: int | None, post_id: int) -> Seen:
    """The post; NotFound when it is absent or the viewer may not see it."""
    found = visible_posts(viewer_id, [post_id])
    if not found:
        raise NotFound("there is no such post, or you may not see it", code="post_not_found")
    return found[0]


def viewers_among(*, author_id: int, is_private: bool, user_ids: Sequence[int]) -> list[int]:
    """Those of `user_ids` who may see such a post of the author: the rule, asked from the other side."""
    sight = load_visibility(author_id, [author_id, *user_ids])
    author = sight.authors.get(author_id)
    if author is None or not author.active:
        return []
    # Blocks are mutual, so the author's sight tells them; only who follows whom has a direction.
    reachable = [
        user_id for user_id in user_ids if (user := sight.authors.get(user_id)) and user.active and not user.blocked
    ]
    if not (is_private or author.is_private):
        return reachable
    followers = _followers_among(author_id, [user_id for user_id in reachable if user_id != author_id])
    return [user_id for user_id in reachable if user_id == author_id or user_id in followers]


def _followers_among(author_id: int, user_ids: Sequence[int]) -> set[int]:
    """Which of `user_ids` follow the author: one call for every 5,000 followers in their range of ids, mostly one."""
    wanted = sorted(user_ids)
    found: set[int] = set()
    while wanted:
        page = client(Users).followers(user_id=author_id, after=wanted[0] - 1, limit=_FOLLOWER_PAGE)
        found.update(page)
        wanted = [user_id for user_id in wanted if user_id > page[-1]] if len(page) == _FOLLOWER_PAGE else []
    return found.intersection(user_ids)
