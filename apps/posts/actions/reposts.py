"""Bookmarks, mutes and reposts: setting and unsetting them, idempotently."""

from django.db import IntegrityError
from django.db.models import F, Model
from django.utils import timezone

from apps.posts.access import no_such_post
from apps.posts.models import Bookmark, MutedPost, Post, Repost, RepostCount
from apps.posts.queries import author_of
from socialapp.contracts.posts import PostMuted, PostUnmuted, Reposted, Unreposted
from socialapp.core.db import atomic, transactional
from socialapp.core.errors import Forbidden
from socialapp.core.sql import add
from socialapp.messaging.publish import publish

_FEW = 100


def add_bookmark(*, user_id: int, post_id: int) -> None:
    """Bookmarks a post that is visible to the caller. Idempotent. NotFound if it was deleted meanwhile."""
    _write_bookmark(user_id=user_id, post_id=post_id)
    _undo_if_deleted(post_id)


@transactional("posts")
def _write_bookmark(*, user_id: int, post_id: int) -> None:
    _insert_once(Bookmark(user_id=user_id, post_id=post_id))


@transactional("posts")
def remove_bookmark(*, user_id: int, post_id: int) -> None:
    """Removes a bookmark. Idempotent."""
    Bookmark.objects.filter(user_id=user_id, post_id=post_id).delete()


def mute_post(*, user_id: int, post_id: int) -> None:
    """Mutes notifications about a post's conversation, and publishes PostMuted. Idempotent. NotFound if it was deleted
    meanwhile."""
    _write_mute(user_id=user_id, post_id=post_id)
    _undo_if_deleted(post_id)


@transactional("posts")
def _write_mute(*, user_id: int, post_id: int) -> None:
    if _insert_once(MutedPost(user_id=user_id, post_id=post_id)):
        publish(PostMuted(post_id=post_id, user_id=user_id, at=timezone.now()))


@transactional("posts")
def unmute_post(*, user_id: int, post_id: int) -> None:
    """Ends the mute, and publishes PostUnmuted. Idempotent."""
    deleted, _ = MutedPost.objects.filter(user_id=user_id, post_id=post_id).delete()
    if deleted:
        publish(PostUnmuted(post_id=post_id, user_id=user_id, at=timezone.now()))


def add_repost(*, user_id: int, post_id: int) -> None:
    """Reposts a post of a public account and publishes Reposted. Idempotent: repeating it publishes nothing.

    Forbidden if the post is private, NotFound if it was deleted meanwhile.
    """
    _write_repost(user_id=user_id, post_id=post_id)
    _undo_if_deleted(post_id)


@transactional("posts")
def _write_repost(*, user_id: int, post_id: int) -> None:
    post = Post.objects.filter(id=post_id).values_list("user_id", "is_private").first()
    if post is None:
        raise no_such_post()
    author_id, is_private = post
    if is_private:
        raise Forbidden("a private post cannot be reposted", code="post_private")
    now = timezone.now()
    if not _insert_once(Repost(user_id=user_id, post_id=post_id, created_at=now)):
        return
    add(RepostCount, additions={(post_id,): (1,)}, key=("post_id",), numbers=("count",))
    publish(Reposted(post_id=post_id, author_id=author_id, user_id=user_id, at=now))


@transactional("posts")
def forget_post(*, post_id: int, limit: int) -> bool:
    """Deletes up to `limit` bookmarks, mutes and reposts of a deleted post, and the count; returns whether there may be
    more."""
    RepostCount.objects.filter(post_id=post_id).delete()
    removed = []
    for model in (Bookmark, MutedPost, Repost):
        ids = list(model._default_manager.filter(post_id=post_id).values_list("id", flat=True)[:limit])
        model._default_manager.filter(id__in=ids).delete()
        removed.append(len(ids))
    return max(removed) == limit


def _undo_if_deleted(post_id: int) -> None:
    """NotFound, undoing the write, if the post was deleted in the meantime.

    The clean-up after the deletion may have run before this write. Checked after the commit: any later clean-up finds
    the committed row.
    """
    if author_of(post_id) is None:
        forget_post(post_id=post_id, limit=_FEW)
        raise no_such_post()


@transactional("posts")
def remove_repost(*, user_id: int, post_id: int) -> None:
    """Removes a repost and publishes Unreposted. Idempotent."""
    deleted, _ = Repost.objects.filter(user_id=user_id, post_id=post_id).delete()
    author_id = author_of(post_id)
    if not deleted or author_id is None:
        return
    RepostCount.objects.filter(post_id=post_id, count__gt=0).update(count=F("count") - 1)
    publish(Unreposted(post_id=post_id, author_id=author_id, user_id=user_id, at=timezone.now()))


def _insert_once(row: Model) -> bool:
    """Whether the row was new; in a savepoint, as a clash would break the surrounding transaction."""
    try:
        with atomic("posts"):
            row.save(force_insert=True)
    except IntegrityError:
        return False
    return True
