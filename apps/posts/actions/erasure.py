"""Removing what belongs to deleted users and deleted posts, in bounded steps that continue by event."""

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from apps.posts.actions.media import delete_media_rows
from apps.posts.actions.posts import delete_locked_posts, delete_withdrawn_posts
from apps.posts.actions.reposts import forget_post, is_there, remove_repost
from apps.posts.models import (
    Bookmark,
    ErasedAuthor,
    Media,
    MutedPost,
    PopularAuthor,
    Post,
    PostMention,
    Repost,
    WithdrawnPost,
)
from apps.posts.queries.feed_cache import forget_feed
from socialapp.contracts.lifecycle import context_erased
from socialapp.contracts.posts import CleanUpContinued, ErasureContinued
from socialapp.core.db import transactional
from socialapp.messaging.publish import publish

STEP = 200
_SWEPT_FOR = timedelta(hours=1)


@transactional("posts")
def erase_user(*, user_id: int, erasure_id: int) -> None:
    """One step of erasing everything of a user; publishes context_erased("posts") when nothing is left. Idempotent."""
    forget_feed(user_id)
    ErasedAuthor.objects.get_or_create(user_id=user_id)
    if _erase_step(user_id):
        publish(ErasureContinued(user_id=user_id, erasure_id=erasure_id))
    else:
        publish(context_erased("posts")(user_id=user_id, erasure_id=erasure_id))


def sweep_erased_users() -> None:
    """Erases what requests that were under way when their user was deleted have written after the erasure."""
    since = timezone.now() - _SWEPT_FOR
    for user_id in ErasedAuthor.objects.filter(erased_at__gt=since).values_list("user_id", flat=True):
        _erase_step(user_id)


@transactional("posts")
def clean_up_post(*, post_id: int, author_id: int) -> None:
    """One step of removing the bookmarks and reposts of a deleted post; goes on by event. Idempotent."""
    if is_there(post_id):
        return
    if forget_post(post_id, limit=STEP):
        publish(CleanUpContinued(post_id=post_id, author_id=author_id))


@transactional("posts")
def _erase_step(user_id: int) -> bool:
    """Erases up to a step of each kind; whether there may be more."""
    posts = list(Post.objects.select_for_update().filter(user_id=user_id).order_by("id")[:STEP])
    if posts:
        delete_locked_posts(posts)
    withdrawn = list(WithdrawnPost.objects.select_for_update().filter(user_id=user_id).order_by("id")[:STEP])
    if withdrawn:
        delete_withdrawn_posts(withdrawn)
    reposted = list(Repost.objects.filter(user_id=user_id).values_list("post_id", flat=True)[:STEP])
    for post_id in reposted:
        remove_repost(user_id=user_id, post_id=post_id)
    mentioned = list(PostMention.objects.filter(user_id=user_id).values_list("post_id", flat=True)[:STEP])
    _forget_mentions(user_id, mentioned)
    PopularAuthor.objects.filter(user_id=user_id).delete()
    media = list(Media.objects.select_for_update().filter(user_id=user_id).order_by("id")[:STEP])
    delete_media_rows(media)
    muted = list(MutedPost.objects.filter(user_id=user_id).values_list("id", flat=True)[:STEP])
    MutedPost.objects.filter(id__in=muted).delete()
    done = (
        len(media),
        len(muted),
        len(posts),
        len(withdrawn),
        len(reposted),
        len(mentioned),
        _delete_bookmarks(user_id),
    )
    return STEP in done


def _forget_mentions(user_id: int, post_ids: Iterable[int]) -> None:
    for model in (Post, WithdrawnPost, Post):  # again, as a post may come back between the two
        for post in model._default_manager.select_for_update().filter(id__in=post_ids):
            post.mentions = [mention for mention in post.mentions if mention[0] != user_id]
            post.save(update_fields=["mentions"])
    PostMention.objects.filter(user_id=user_id, post_id__in=post_ids).delete()


def _delete_bookmarks(user_id: int) -> int:
    ids = list(Bookmark.objects.filter(user_id=user_id).values_list("id", flat=True)[:STEP])
    Bookmark.objects.filter(id__in=ids).delete()
    return len(ids)
