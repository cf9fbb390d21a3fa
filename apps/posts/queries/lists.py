"""Lists of posts: their order, before visibility is decided."""

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple, TypeVar

from django.db.models import Model, QuerySet

from apps.posts.models import Bookmark, Post, PostEdit, PostHashtag
from socialapp.core.ids import first_id_at, id_time
from socialapp.core.pages import Page, PageRequest, paginate
from socialapp.core.text.hashtags import hashtag_digest

# Clocks of different machines differ: an author's first post may have a lower id than the author.
_CLOCK_DIFFERENCE = timedelta(minutes=5)

M = TypeVar("M", bound=Model)


class Entry(NamedTuple):
    """An entry of a list: its position, and the post."""

    position: int
    post_id: int
    reposter_ids: frozenset[int] = frozenset()


class TagUse(NamedTuple):
    """A hashtag in a post."""

    tag_key: str
    tag: str
    post_id: int


class Span(NamedTuple):
    """A stretch of a descending list: `limit` entries beyond `position`, in reading direction."""

    position: int | None
    limit: int
    backwards: bool = False


def author_entries(*, author_id: int, public_only: bool, span: Span) -> list[Entry]:
    """Posts of an author, newest first. One query."""
    # Nobody posts before registering: the bound spares a partitioned table its earlier partitions.
    posts = Post.objects.filter(user_id=author_id, id__gte=first_id_at(id_time(author_id) - _CLOCK_DIFFERENCE))
    if public_only:
        posts = posts.filter(is_private=False)
    return _entries(posts, position_field="id", post_field="id", span=span)


def hashtag_entries(*, tag: str, span: Span) -> list[Entry]:
    """Posts with a hashtag, newest first. One query."""
    tagged = PostHashtag.objects.filter(tag_key=hashtag_digest(tag))
    return _entries(tagged, position_field="post_id", post_field="post_id", span=span)


def bookmark_entries(*, user_id: int, span: Span) -> list[Entry]:
    """Somebody's bookmarks, newest first. One query."""
    bookmarks = Bookmark.objects.filter(user_id=user_id)
    return _entries(bookmarks, position_field="id", post_field="post_id", span=span)


def public_entries(*, span: Span) -> list[Entry]:
    """Posts that are not marked private, newest first. One query."""
    return _entries(Post.objects.filter(is_private=False), position_field="id", post_field="id", span=span)


def newest_public_posts(*, since: int, limit: int) -> list[int]:
    """Up to `limit` posts that are not marked private and have greater ids, newest first. One query."""
    posts = Post.objects.filter(id__gte=since, is_private=False).order_by("-id")
    return list(posts.values_list("id", flat=True)[:limit])


def public_authors(post_ids: Iterable[int]) -> dict[int, int]:
    """The authors of those of the posts that are not marked private, by post. One query."""
    posts = Post.objects.filter(id__in=list(post_ids), is_private=False, hidden=False)
    return dict(posts.values_list("id", "user_id"))


def tag_uses(*, since: int, limit: int) -> list[TagUse]:
    """The last uses of hashtags, newest first. One query."""
    recent = PostHashtag.objects.filter(id__gte=since).order_by("-id")
    return [TagUse(*use) for use in recent.values_list("tag_key", "tag", "post_id")[:limit]]


def earlier_versions(*, post_id: int, public_only: bool, page: PageRequest) -> Page[PostEdit]:
    """Earlier texts of a post, newest first. One query."""
    edits = PostEdit.objects.filter(post_id=post_id)
    if public_only:
        edits = edits.filter(is_private=False)
    return paginate(edits, page=page, order=("-version",))


def _beyond(rows: QuerySet[M], *, field: str, span: Span) -> QuerySet[M]:
    """The rows past a position of a list that is descending by `field`, in reading direction."""
    if span.position is not None:
        rows = rows.filter(**{f"{field}__{'gt' if span.backwards else 'lt'}": span.position})
    return rows.order_by(field if span.backwards else f"-{field}")


def _entries(rows: QuerySet[M], *, position_field: str, post_field: str, span: Span) -> list[Entry]:
    found = _beyond(rows, field=position_field, span=span).values_list(position_field, post_field)
    return [Entry(*values) for values in found[: span.limit]]
