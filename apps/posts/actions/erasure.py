"""Erases what belongs to deleted users and deleted posts, in bounded steps."""

from collections.abc import Collection, Iterable

from apps.posts.actions.feed.store import forget_feed
from apps.posts.actions.media.removal import delete_media_rows
from apps.posts.actions.posts import delete_locked_posts, delete_removed_posts
from apps.posts.actions.reposts import forget_post, remove_repost
from apps.posts.models import (
    Bookmark,
    Media,
    MutedPost,
    PopularAuthor,
    Post,
    PostMention,
    RemovedPost,
    Repost,
)
from apps.posts.queries import author_of
from socialapp.contracts.posts import PostCreated, PostEdited, PostRestored
from socialapp.lifecycle.jobs import declare_job
from socialapp.lifecycle.removal import declare_removal
from socialapp.messaging.erasure import forget_events_of

BATCH = 200
CLEAN_UP = "clean_up_post"


def _clean_up_step(post_id: int) -> bool:
    """Deletes some of the bookmarks, mutes and reposts of a deleted post; returns whether nothing is left."""
    return author_of(post_id) is not None or not forget_post(post_id=post_id, limit=BATCH)


def _erase_step(user_id: int) -> bool:
    """Erases up to one step of each kind; returns whether nothing is left."""
    forget_feed(user_id)
    posts = list(Post.objects.select_for_update().filter(user_id=user_id).order_by("id")[:BATCH])
    if posts:
        delete_locked_posts(posts)
    removed = list(RemovedPost.objects.select_for_update().filter(user_id=user_id).order_by("id")[:BATCH])
    if removed:
        delete_removed_posts(removed)
    reposted = list(Repost.objects.filter(user_id=user_id).values_list("post_id", flat=True)[:BATCH])
    for post_id in reposted:
        remove_repost(user_id=user_id, post_id=post_id)
    mentioned = list(PostMention.objects.filter(user_id=user_id).values_list("post_id", flat=True)[:BATCH])
    _forget_mentions(user_id=user_id, post_ids=mentioned)
    PopularAuthor.objects.filter(user_id=user_id).delete()
    media = list(Media.objects.select_for_update().filter(user_id=user_id).order_by("id")[:BATCH])
    delete_media_rows(media)
    muted = list(MutedPost.objects.filter(user_id=user_id).values_list("id", flat=True)[:BATCH])
    MutedPost.objects.filter(id__in=muted).delete()
    done = (
        len(media),
        len(muted),
        len(posts),
        len(removed),
        len(reposted),
        len(mentioned),
        _delete_bookmarks(user_id),
    )
    if max(done) == BATCH:
        return False
    forget_events_of(
        "posts", author=user_id, events=[PostCreated, PostEdited, PostRestored]
    )  # they contain mentions and hashtags
    return True


def _forget_mentions(*, user_id: int, post_ids: Iterable[int]) -> None:
    for model in (Post, RemovedPost, Post):  # twice, as a post may be restored between the two
        for post in model._default_manager.select_for_update().filter(id__in=post_ids):
            post.mentions = [mention for mention in post.mentions if mention[0] != user_id]
            post.save(update_fields=["mentions"])
    PostMention.objects.filter(user_id=user_id, post_id__in=post_ids).delete()


def _delete_bookmarks(user_id: int) -> int:
    ids = list(Bookmark.objects.filter(user_id=user_id).values_list("id", flat=True)[:BATCH])
    Bookmark.objects.filter(id__in=ids).delete()
    return len(ids)


def _people_with_rows(user_ids: Collection[int]) -> set[int]:
    held: set[int] = set()
    for model in (Post, RemovedPost, Repost, PostMention, Bookmark, Media, MutedPost):
        rows = model._default_manager.filter(user_id__in=user_ids)
        held.update(rows.values_list("user_id", flat=True).distinct())
    return held


declare_removal("posts", kind="user", step=_erase_step, leftovers=_people_with_rows)
declare_job("posts", name=CLEAN_UP, step=_clean_up_step)
