"""Posts in the form in which other contexts take them."""

from collections.abc import Iterable, Sequence

from django.db.models import QuerySet

from apps.posts.models import Post
from apps.posts.queries.access import PostRow
from socialapp.contracts.posts import PostDocument, PostRef


def refs_of(rows: Iterable[PostRow]) -> list[PostRef]:
    """The references to posts."""
    return [
        PostRef(id=row.id, author_id=row.user_id, is_private=row.is_private, created_at=row.created_at) for row in rows
    ]


def documents_of(post_ids: Sequence[int]) -> list[PostDocument]:
    """The posts among `post_ids` that exist. One query."""
    return _documents(Post.objects.filter(id__in=list(post_ids))) if post_ids else []


def documents_after(after: int, *, limit: int) -> list[PostDocument]:
    """Up to `limit` posts with greater ids, ascending. One query."""
    return _documents(Post.objects.filter(id__gt=after).order_by("id")[:limit])


def _documents(posts: QuerySet[Post]) -> list[PostDocument]:
    fields = ("id", "user_id", "content", "hashtags", "is_private", "media_url", "version", "created_at")
    return [
        PostDocument(
            id=post_id,
            author_id=author_id,
            content=content,
            hashtags=hashtags,
            is_private=is_private,
            has_media=bool(media_url),
            version=version,
            created_at=created_at,
        )
        for post_id, author_id, content, hashtags, is_private, media_url, version, created_at in posts.values_list(
            *fields
        )
    ]
