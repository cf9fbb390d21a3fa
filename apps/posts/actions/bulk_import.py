"""Bulk import of posts, with the same events as writing them one by one."""

from collections.abc import Sequence

from django.db import IntegrityError

from apps.posts.access import LoadablePost
from apps.posts.models import Post, PostHashtag, PostMention, RemovedPost
from socialapp.contracts.bulk import Rejected
from socialapp.contracts.posts import PostCreated
from socialapp.core.db import transactional
from socialapp.core.text.hashtags import hashtag_digest
from socialapp.lifecycle.removal import deleted_among
from socialapp.messaging.publish import publish


def load_posts(*, posts: Sequence[LoadablePost]) -> list[Rejected]:
    """Writes the posts that do not exist yet, in one transaction; rejects ids that belong to another post.

    Posts that were edited since they were loaded count as existing, and so do those that a moderator removed.
    """
    try:
        return _load(posts)
    except IntegrityError:
        # One of them was written concurrently; the next look sees it.
        return _load(posts)


@transactional("posts")
def _load(posts: Sequence[LoadablePost]) -> list[Rejected]:
    ids = [post.id for post in posts]
    rows: dict[int, Post | RemovedPost] = {**Post.objects.in_bulk(ids), **RemovedPost.objects.in_bulk(ids)}
    erased = deleted_among("posts", ids={post.author_id for post in posts})
    new: list[LoadablePost] = []
    made: list[Post] = []
    rejected: list[Rejected] = []
    for post in posts:
        row = rows.get(post.id)
        if post.author_id in erased:
            rejected.append(Rejected(index=post.index, reason="there is no such author"))
        elif row is None:
            rows[post.id] = row = _row(post)
            made.append(row)
            new.append(post)
        elif not _is_same(post, row=row):
            rejected.append(Rejected(index=post.index, reason="this id belongs to another post"))
    Post.objects.bulk_create(made)
    PostHashtag.objects.bulk_create(
        [PostHashtag(tag=tag, tag_key=hashtag_digest(tag), post_id=post.id) for post in new for tag in post.hashtags]
    )
    PostMention.objects.bulk_create(
        [PostMention(post_id=post.id, user_id=user_id) for post in new for user_id, _ in post.mentions]
    )
    publish(*(_created(post, version=rows[post.id].version) for post in new))
    return rejected


def _is_same(post: LoadablePost, *, row: Post | RemovedPost) -> bool:
    return post.author_id == row.user_id and (post.content == row.content or row.updated_at > post.updated_at)


def _row(post: LoadablePost) -> Post:
    return Post(
        id=post.id,
        user_id=post.author_id,
        content=post.content,
        is_private=post.is_private,
        sensitive=post.sensitive,
        content_warning=post.content_warning,
        created_at=post.created_at,
        updated_at=post.updated_at,
        version=2 if post.is_edited else 1,
        edited=post.is_edited,
        hashtags=post.hashtags,
        mentions=post.mentions,
    )


def _created(post: LoadablePost, *, version: int) -> PostCreated:
    return PostCreated(
        post_id=post.id,
        author_id=post.author_id,
        is_private=post.is_private,
        hashtags=post.hashtags,
        mention_ids=[user_id for user_id, _ in post.mentions if user_id != post.author_id],
        created_at=post.created_at,
        version=version,
    )
