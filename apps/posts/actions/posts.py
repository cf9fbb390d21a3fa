"""Writes, edits and deletes posts."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
from django.utils import timezone

from apps.posts.access import Draft, draft_post, no_such_post, own_post, was_for_followers
from apps.posts.actions.feed.fan_out import push_own_post
from apps.posts.actions.link_previews.recording import record_link
from apps.posts.actions.media.places import attach_media
from apps.posts.actions.media.removal import delete_media_rows, purge
from apps.posts.models import (
    Media,
    MutedPost,
    Post,
    PostEdit,
    PostHashtag,
    PostLink,
    PostMention,
    RemovedPost,
    RepostCount,
)
from apps.posts.presenters import public_path
from apps.posts.queries import POST_COLUMNS, PostRow
from socialapp.contracts.posts import PostCreated, PostDeleted, PostEdited, PostRemoved
from socialapp.core.db import after_commit, transactional
from socialapp.core.errors import Conflict, Forbidden, Stale, require_version
from socialapp.core.media.addresses import public_url
from socialapp.core.text.hashtags import hashtag_digest
from socialapp.lifecycle.removal import deleted_among
from socialapp.messaging.publish import publish

CHANGED = "the post has changed since you read it"
_TRIES = 5
# Copied from the post into the draft of a change that omits it. Not `sensitive`: a moderator's mark shows in it, too.
_REPEATED = ("content", "is_private", "content_warning")


@transactional("posts")
def create_post(*, draft: Draft) -> PostRow:
    """Writes a post and publishes PostCreated; Forbidden if its author was deleted meanwhile."""
    author_id = draft.author.card.id
    now = timezone.now()
    if deleted_among("posts", ids=[author_id]):
        raise Forbidden("this account may not write posts", code="account_not_active")
    post = Post(
        user_id=author_id,
        content=draft.content,
        is_private=draft.is_private,
        created_at=now,
        updated_at=now,
        hashtags=draft.hashtags,
        mentions=draft.mentions,
        sensitive=bool(draft.sensitive),
        content_warning=draft.content_warning,
        hidden=draft.is_held,
        waiting=draft.is_held,
    )
    if draft.media_ids:
        show_media(post, media_ids=draft.media_ids)
    post.save(force_insert=True)
    add_hashtags(post_id=post.id, tags=draft.hashtags)
    add_mentions(post_id=post.id, user_ids=(user_id for user_id, _ in draft.mentions))
    record_link(post, is_new=True)
    publish(
        PostCreated(
            post_id=post.id,
            author_id=author_id,
            is_private=post.is_private,
            hashtags=draft.hashtags,
            mention_ids=draft.mention_ids,
            created_at=now,
            version=post.version,
            is_held=draft.is_held,
        )
    )
    if draft.is_held:
        publish_removal(post, version=post.version)
    after_commit("posts", callback=partial(push_own_post, author_id=author_id, post_id=post.id))
    return _row(post)


def edit_post(
    *, author_id: int, post_id: int, changes: Mapping[str, Any], expected_versions: Container[int] | None
) -> None:
    """Changes the fields in `changes` (`content`, `is_private`, `media_ids`, …) and publishes PostEdited.

    Forbidden for others than the author, NotFound if the post is gone, Stale unless its version is one of
    `expected_versions`. If those are None, concurrent edits are merged by retrying; Conflict if that does not succeed.
    """
    for _ in range(_TRIES):
        post = own_post(user_id=author_id, post_id=post_id)
        present = {name: getattr(post.row, name) for name in _REPEATED}
        draft = draft_post(author_id=author_id, before=post.row, **{**present, **changes})
        # The draft contains the unchanged fields, so it is valid only for the version it was made from.
        versions = frozenset({post.row.version}) if expected_versions is None else expected_versions
        is_private = post.row.is_private or was_for_followers(post)
        try:
            _write_edit(post_id=post_id, draft=draft, expected_versions=versions, was_for_followers=is_private)
        except Stale:
            if expected_versions is not None:
                raise
        else:
            return
    raise Conflict("the post is being changed elsewhere; try again", code="post_contended")


@transactional("posts")
def _write_edit(*, post_id: int, draft: Draft, expected_versions: Container[int], was_for_followers: bool) -> None:
    """Gives a post the draft's text and privacy, and keeps the earlier text. Writes nothing if nothing changes."""
    post = _locked(post_id=post_id, expected_versions=expected_versions)
    was_private = post.is_private
    shown_ids = [media["id"] for media in post.media or []]
    media_ids = shown_ids if draft.media_ids is None else draft.media_ids
    sensitive = post.sensitive if draft.sensitive is None else draft.sensitive
    before_edit = (post.content, shown_ids, was_private, post.sensitive, post.content_warning)
    if before_edit == (draft.content, media_ids, draft.is_private, sensitive, draft.content_warning):
        return
    if (post.content, shown_ids) != (draft.content, media_ids):
        _keep_edit(post, is_private=post.is_private or was_for_followers)
        post.edited = True
    if draft.is_private and not was_private:
        purge(Media.objects.filter(post_id=post_id))
    if shown_ids != media_ids:
        show_media(post, media_ids=media_ids)
    post.sensitive, post.content_warning = sensitive, draft.content_warning
    mentioned_before = _replace_hashtags_and_mentions(post, draft)
    post.content, post.is_private = draft.content, draft.is_private
    post.version += 1
    post.updated_at = timezone.now()
    was_hidden = post.hidden
    is_held = draft.is_held and not was_hidden
    if is_held:
        post.hidden = post.waiting = True
        purge(Media.objects.filter(post_id=post_id))
    post.save(force_update=True)
    record_link(post)
    publish(
        PostEdited(
            post_id=post_id,
            author_id=post.user_id,
            is_private=post.is_private,
            was_private=post.is_private if was_hidden else was_private,  # hidden posts are not counted
            hashtags=draft.hashtags,
            new_mention_ids=[user_id for user_id in draft.mention_ids if user_id not in mentioned_before],
            version=post.version,
            is_held=is_held,
            removed_mention_ids=sorted(mentioned_before - {post.user_id, *draft.mention_ids}),
            at=post.updated_at,
        )
    )
    if is_held:
        publish_removal(post, version=post.version)


def _replace_hashtags_and_mentions(post: Post, draft: Draft) -> set[int]:
    """Replaces the hashtags and mentions, and their rows. Returns the people mentioned before."""
    held_keys = set(map(hashtag_digest, post.hashtags))
    new_tags = [tag for tag in draft.hashtags if hashtag_digest(tag) not in held_keys]
    before, after = ({user_id for user_id, _ in mentions} for mentions in (post.mentions, draft.mentions))
    PostHashtag.objects.filter(post_id=post.id).exclude(tag_key__in=map(hashtag_digest, draft.hashtags)).delete()
    PostMention.objects.filter(post_id=post.id).exclude(user_id__in=after).delete()
    add_hashtags(post_id=post.id, tags=new_tags)
    add_mentions(post_id=post.id, user_ids=sorted(after - before))
    post.hashtags, post.mentions = draft.hashtags, draft.mentions
    return before


def publish_removal(post: Post | RemovedPost, *, version: int) -> None:
    """Publishes the removal from all counts and lists: a moderator removed or hid the post, or a word rule holds it
    back."""
    publish(PostRemoved(post_id=post.id, author_id=post.user_id, was_private=post.is_private, version=version))


@transactional("posts")
def delete_post(*, post_id: int, expected_versions: Container[int] | None = None) -> None:
    """Deletes a post with what belongs to it and publishes PostDeleted.

    NotFound if there is none (any more), Stale unless its version is one of `expected_versions`.
    """
    delete_locked_posts([_locked(post_id=post_id, expected_versions=expected_versions)])


def delete_locked_posts(posts: list[Post]) -> None:
    """Deletes posts whose rows the caller's transaction has locked. The event removes bookmarks and reposts of them."""
    ids = _delete_parts(posts)
    Post.objects.filter(id__in=ids).delete()
    publish(*(_deletion(post) for post in posts))


def delete_removed_posts(posts: list[RemovedPost]) -> None:
    """Deletes posts that moderators had removed, like `delete_locked_posts`."""
    ids = _delete_parts(posts)
    RemovedPost.objects.filter(id__in=ids).delete()
    publish(*(replace(_deletion(post), was_withdrawn=True) for post in posts))


def _delete_parts(posts: Sequence[Post | RemovedPost]) -> list[int]:
    ids = [post.id for post in posts]
    delete_media_rows(list(Media.objects.select_for_update().filter(post_id__in=ids)))
    for model in (PostEdit, PostHashtag, PostLink, PostMention, RepostCount, MutedPost):
        model._default_manager.filter(post_id__in=ids).delete()
    return ids


def _deletion(post: Post | RemovedPost) -> PostDeleted:
    return PostDeleted(
        post_id=post.id,
        author_id=post.user_id,
        was_private=post.is_private,
        version=post.version + 1,
        was_withdrawn=post.hidden,
    )


def _locked(*, post_id: int, expected_versions: Container[int] | None) -> Post:
    post = Post.objects.select_for_update().filter(id=post_id).first()
    if post is None:
        raise no_such_post()
    require_version(post.version, expected=expected_versions, detail=CHANGED)
    return post


def _keep_edit(post: Post, *, is_private: bool) -> None:
    PostEdit(
        post_id=post.id,
        version=post.version,
        content=post.content,
        is_private=is_private,
        media=post.media,
        written_at=post.updated_at,
    ).save(force_insert=True)


def show_media(post: Post, *, media_ids: Sequence[int]) -> None:
    """Makes the post show these media; the caller saves its row."""
    post.media = attach_media(user_id=post.user_id, post_id=post.id, media_ids=media_ids) or None
    post.media_url = public_url(public_path(post.media[0])) if post.media else ""


def add_hashtags(*, post_id: int, tags: Iterable[str]) -> None:
    """Adds the rows by which a post is found under its hashtags; the caller holds the transaction."""
    names = {hashtag_digest(tag): tag for tag in tags}
    PostHashtag.objects.bulk_create([PostHashtag(tag=tag, tag_key=key, post_id=post_id) for key, tag in names.items()])


def add_mentions(*, post_id: int, user_ids: Iterable[int]) -> None:
    """Adds the rows by which a post is found by the people it mentions; the caller holds the transaction."""
    PostMention.objects.bulk_create([PostMention(post_id=post_id, user_id=user_id) for user_id in user_ids])


def _row(post: Post) -> PostRow:
    row = PostRow(*(getattr(post, name) for name in POST_COLUMNS))
    media = orjson.dumps(post.media).decode() if post.media else ""
    return row._replace(media=media, sensitive=post.sensitive or post.marked_sensitive)
