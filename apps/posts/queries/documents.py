"""Posts as the documents and numbers that other contexts read."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from apps.posts.models import Media, Post, PostEdit, RefusedMedia, RemovedPost, Repost
from socialapp.contracts.posts import AuthorPosts, MediaHash, PostDocument, PostVersion, RepostNumber
from socialapp.core.ids import first_id_at, id_time
from socialapp.core.media.likeness import looks_the_same

_MOST_VERSIONS = 20


def documents_of(post_ids: Sequence[int]) -> list[PostDocument]:
    """The posts among `post_ids` that exist and are not hidden. One query."""
    return _documents(Post.objects.filter(id__in=list(post_ids), hidden=False)) if post_ids else []


def removed_documents_of(post_ids: Sequence[int]) -> list[PostDocument]:
    """The posts among `post_ids` that moderators removed or hid and may restore. Two queries."""
    ids = list(post_ids)
    if not ids:
        return []
    hidden = Post.objects.filter(id__in=ids, hidden=True)
    return [*_documents(RemovedPost.objects.filter(id__in=ids)), *_documents(hidden)]


def documents_after(after: int, *, limit: int) -> list[PostDocument]:
    """Up to `limit` posts with greater ids, ascending. One query."""
    return _documents(Post.objects.filter(id__gt=after, hidden=False).order_by("id")[:limit])


def posts_of_authors(author_ids: Sequence[int]) -> list[AuthorPosts]:
    """The number of posts of each author; authors without any are omitted. One query."""
    rows = Post.objects.filter(user_id__in=list(author_ids), hidden=False).values_list("user_id")
    counted = rows.annotate(posts=Count("id"), public=Count("id", filter=Q(is_private=False))).order_by()
    return [AuthorPosts(author_id=author_id, posts=posts, public_posts=public) for author_id, posts, public in counted]


def reposts_of(post_ids: Sequence[int]) -> list[RepostNumber]:
    """The number of reposts of each post; posts without any are omitted. One query."""
    rows = Repost.objects.filter(post_id__in=list(post_ids)).values_list("post_id").annotate(Count("id")).order_by()
    return [RepostNumber(post_id=post_id, reposts=reposts) for post_id, reposts in rows]


def media_hashes_of(post_ids: Sequence[int], *, comment_ids: Sequence[int], known: Sequence[str]) -> list[MediaHash]:
    """The hashes of the uploads in these posts and comments, and those of `known` that look the same.

    A hash in `known` is the SHA-256 of an upload or a PDQ hash: both have 256 bits, and a match of one kind with the
    other by chance is practically impossible. One query, and two more with `known`.
    """
    columns = "post_id", "comment_id", "content_hash", "perceptual_hash"
    shown = Media.objects.exclude(content_hash="").values_list(*columns)
    # Not an OR: for 200 comments or more MariaDB would read all media without a comment.
    in_comments = shown.filter(comment_id__in=comment_ids)
    rows = list(shown.filter(post_id__in=post_ids, comment_id=None).union(in_comments, all=True))
    pictures = (
        {
            picture
            for model in (Media, RefusedMedia)
            for picture in model._default_manager.filter(content_hash__in=known)
            .exclude(perceptual_hash="")
            .values_list("content_hash", "perceptual_hash")
        }
        if known
        else set()
    )
    pictures |= {(pdq, pdq) for pdq in known}
    hashes = {(post_id, comment_id, sha256) for post_id, comment_id, sha256, _ in rows}
    hashes |= {
        (post_id, comment_id, sha256)
        for post_id, comment_id, _, own in rows
        for sha256, other in pictures
        if looks_the_same(first=own, second=other)
    }
    return [
        MediaHash(post_id=post_id, sha256=sha256, comment_id=comment_id)
        for post_id, comment_id, sha256 in hashes
        if post_id is not None
    ]


def versions_of(post_id: int, *, shown_at: datetime | None = None) -> list[PostVersion]:
    """The last 20 earlier texts of a post, newest first, and the one shown at a moment, which many edits since cannot
    conceal. One query, or two."""
    edits = PostEdit.objects.filter(post_id=post_id)
    rows = list(edits.order_by("-version")[:_MOST_VERSIONS])
    if shown_at is not None and len(rows) == _MOST_VERSIONS:
        shown = edits.filter(id__gte=first_id_at(shown_at)).order_by("version").first()
        rows += [shown] if shown is not None and shown not in rows else []
    return [
        PostVersion(version=row.version, content=row.content, written_at=row.written_at, replaced_at=id_time(row.id))
        for row in rows
    ]


def _documents(posts: QuerySet[Post] | QuerySet[RemovedPost]) -> list[PostDocument]:
    fields = (
        "id", "user_id", "content", "hashtags", "is_private", "media_url", "version", "created_at",
        "sensitive", "content_warning", "marked_sensitive", "waiting", "media",
    )  # fmt: skip
    return [
        PostDocument(
            id=row["id"],
            author_id=row["user_id"],
            content=row["content"],
            hashtags=row["hashtags"],
            is_private=row["is_private"],
            has_media=bool(row["media_url"]),
            version=row["version"],
            created_at=row["created_at"],
            has_content_warning=bool(row["sensitive"] or row["marked_sensitive"] or row["content_warning"]),
            is_waiting=row["waiting"],
            content_warning=row["content_warning"],
            descriptions=[media["description"] for media in row["media"] or ()],
        )
        for row in posts.values(*fields)
    ]
