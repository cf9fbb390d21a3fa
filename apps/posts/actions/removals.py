"""Removes and restricts posts for moderators, and restores them after an accepted appeal."""

from collections.abc import Container
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from apps.posts.access import not_author, visible_post
from apps.posts.actions.media.removal import purge
from apps.posts.actions.posts import CHANGED, delete_post, delete_removed_posts, publish_removal
from apps.posts.models import Media, Post, RefusedMedia, RemovedPost, RestoredRemoval
from socialapp.contracts.moderation import Moderation
from socialapp.contracts.posts import PostEdited, PostRestored
from socialapp.core.db import transactional
from socialapp.core.errors import require_version
from socialapp.core.principal import Principal
from socialapp.lifecycle.removal import deleted_among
from socialapp.messaging.publish import publish
from socialapp.rpc.calls import client

_COLUMNS = [field.attname for field in Post._meta.concrete_fields]
_BATCH = 200


def delete_or_remove_post(*, principal: Principal, post_id: int, expected_versions: Container[int] | None) -> None:
    """Deletes one's own post; for moderators, removes somebody else's. Forbidden for everybody else who may see it."""
    post = visible_post(viewer_id=principal.id, post_id=post_id)
    if post.row.user_id == principal.id:
        delete_post(post_id=post_id, expected_versions=expected_versions)
    elif principal.is_staff:
        require_version(post.row.version, expected=expected_versions, detail=CHANGED)
        remove_as_moderator(moderator_id=principal.id, post_id=post_id, author_id=post.row.user_id)
    else:
        raise not_author()


def remove_as_moderator(*, moderator_id: int, post_id: int, author_id: int, reason: str = "") -> None:
    """Removes somebody else's post: moderation logs it and notifies the author; hidden once this returns.

    Forbidden if the author has the same rank or a higher one. Idempotent.
    """
    action_id = client(Moderation).remove(
        moderator_id=moderator_id, target_type="post", target_id=post_id, author_id=author_id, reason=reason
    )
    remove_post(post_id=post_id, action_id=action_id)


@transactional("posts")
def remove_post(*, post_id: int, action_id: int) -> None:
    """Hides a post with everything that belongs to it, and publishes PostRemoved. Idempotent.

    Does nothing if the post is gone, or if the removal was reversed before its event arrived. If it comes before the
    reversal of an earlier removal, it replaces that one.
    """
    post = Post.objects.select_for_update().filter(id=post_id).first()
    if RestoredRemoval.objects.filter(action_id=action_id).exists():
        return
    if post is None:
        earlier = RemovedPost.objects.filter(id=post_id, action_id__lt=action_id)
        earlier.update(action_id=action_id, removed_at=timezone.now())
        return
    columns = {name: getattr(post, name) for name in _COLUMNS} | {"version": post.version + 1}
    RemovedPost(**columns, action_id=action_id).save(force_insert=True)
    Post.objects.filter(id=post_id).delete()
    purge(Media.objects.filter(post_id=post_id))
    if not post.hidden:
        publish_removal(post, version=columns["version"])


@transactional("posts")
def restore_post(*, post_id: int, action_id: int) -> None:
    """Restores a post as it was and publishes PostRestored; does nothing if it was deleted since. Idempotent."""
    RestoredRemoval.objects.get_or_create(action_id=action_id)
    held = RemovedPost.objects.select_for_update().filter(id=post_id, action_id=action_id).first()
    if held is None or deleted_among("posts", ids=[held.user_id]):
        return
    columns = {name: getattr(held, name) for name in _COLUMNS} | {"version": held.version + 1}
    Post(**columns).save(force_insert=True)
    RemovedPost.objects.filter(id=post_id).delete()
    RefusedMedia.objects.filter(media_id__in=[media["id"] for media in held.media or []]).delete()
    if not held.hidden:
        _publish_return(held, version=columns["version"])


_RESTRICTIONS = {"sensitive": "marked_sensitive", "hidden": "hidden", "locked": "comments_locked"}


@transactional("posts")
def restrict_post(*, post_id: int, kind: str, is_active: bool, at: datetime, is_waiting: bool = False) -> None:
    """Marks a post sensitive, hides it or locks its comments, or ends that; does not undo a later decision.

    A hidden post is in no list, count or index; its author still sees it, as waiting if a moderator has yet to review
    it. A removed post is changed among the removed ones.
    """
    field = _RESTRICTIONS[kind]
    post: Post | RemovedPost | None = Post.objects.select_for_update().filter(id=post_id).first()
    is_removed = post is None
    if post is None:
        post = RemovedPost.objects.select_for_update().filter(id=post_id).first()
    if post is None:
        return
    last: datetime | None = getattr(post, f"{field}_at")
    if last is not None and last >= at:
        return
    changed = getattr(post, field) != is_active
    setattr(post, f"{field}_at", at)
    setattr(post, field, is_active)
    if kind == "hidden":
        post.waiting = is_waiting and is_active
    post.version += 1
    post.save(update_fields=[field, f"{field}_at", "waiting", "version"])
    if not changed or is_removed:
        return
    if kind == "hidden" and is_active:
        purge(Media.objects.filter(post_id=post_id))
        publish_removal(post, version=post.version)
    elif kind == "hidden":
        _publish_return(post, version=post.version)
    else:
        _publish_edit(post)


def _publish_return(post: Post | RemovedPost, *, version: int) -> None:
    publish(
        PostRestored(
            post_id=post.id,
            author_id=post.user_id,
            is_private=post.is_private,
            version=version,
            mention_ids=[user_id for user_id, _ in post.mentions if user_id != post.user_id],
            at=timezone.now(),
        )
    )


def _publish_edit(post: Post | RemovedPost) -> None:
    publish(
        PostEdited(
            post_id=post.id,
            author_id=post.user_id,
            is_private=post.is_private,
            was_private=post.is_private,
            hashtags=post.hashtags,
            new_mention_ids=[],
            version=post.version,
            at=timezone.now(),
        )
    )


@transactional("posts")
def delete_long_removed() -> bool:
    """Deletes permanently what was removed twice the appeal period ago, when every appeal has been answered.

    Works in bounded steps; returns whether there may be more.
    """
    until = timezone.now() - timedelta(days=2 * settings.APPEAL_DAYS)
    marks = RestoredRemoval.objects.filter(restored_at__lt=until)
    old = list(RemovedPost.objects.select_for_update().filter(removed_at__lt=until).order_by("id")[:_BATCH])
    delete_removed_posts(old)
    mark_ids = list(marks.values_list("action_id", flat=True)[:_BATCH])
    RestoredRemoval.objects.filter(action_id__in=mark_ids).delete()
    return _BATCH in (len(old), len(mark_ids))
