"""Admin pages of posts: viewing, searching, removing."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.posts import actions
from apps.posts.models import (
    Bookmark,
    FeedEpoch,
    LinkPreview,
    Media,
    MediaPurge,
    MutedPost,
    PopularAuthor,
    Post,
    PostEdit,
    PostHashtag,
    PostLink,
    PostMention,
    RefusedMedia,
    RemovedPost,
    Repost,
    RepostCount,
    RestoredRemoval,
    StoredFile,
)
from socialapp.core.errors import Problem
from socialapp.http.admin import ContextModelAdmin, PersonColumn, act_link, remote_link

_POST = "admin:posts_post_change"
_author = PersonColumn("user_id", description="author")
_act = act_link("post", field="id")


@admin.register(Post)
class PostAdmin(ContextModelAdmin[Post]):
    """Posts; removing them is an action."""

    list_display = (
        "id",
        _author,
        "beginning",
        "is_private",
        "edited",
        "created_at",
        _act,
    )
    list_filter = ("is_private", "edited", "created_at")
    search_fields = ("=id", "=user_id", "content")
    ordering = ("-id",)
    actions = ("remove",)

    @admin.display(description="content")
    def beginning(self, post: Post) -> str:
        """The first words."""
        return post.content[:80]

    @admin.action(description="Remove the selected posts")
    def remove(self, request: HttpRequest, queryset: QuerySet[Post]) -> None:
        """Removes the posts as a moderator: logged, their authors notified, open to appeal."""
        for post in queryset:
            try:
                actions.remove_as_moderator(
                    moderator_id=int(request.user.pk or 0), post_id=post.id, author_id=post.user_id
                )
            except Problem as problem:
                self.message_user(request, f"{post}: {problem.detail}", messages.ERROR)


@admin.register(RemovedPost)
class RemovedPostAdmin(ContextModelAdmin[RemovedPost]):
    """Posts that moderators removed and may restore."""

    list_display = ("id", _author, "is_private", "removed_at", _act)
    list_filter = ("removed_at",)
    search_fields = ("=id", "=user_id", "=action_id")
    ordering = ("-id",)


class _BelongsToPost(ContextModelAdmin[Any]):
    """The base of pages for rows that belong to a post."""

    ordering = ("-pk",)


@admin.register(PostEdit)
class PostEditAdmin(_BelongsToPost):
    """Earlier texts."""

    is_internal = True
    list_display = ("id", remote_link("post_id", admin_url=_POST), "version", "is_private", "written_at")
    list_filter = ("is_private",)
    search_fields = ("=post_id", "content")


@admin.register(PostHashtag)
class PostHashtagAdmin(_BelongsToPost):
    """Hashtags."""

    is_internal = True
    list_display = ("id", "tag", remote_link("post_id", admin_url=_POST))
    search_fields = ("=tag", "=post_id")


@admin.register(PostMention, Bookmark, Repost, MutedPost)
class PersonAndPostAdmin(_BelongsToPost):
    """Mentions, bookmarks, reposts and mutes: one person, one post."""

    is_internal = True
    list_display = ("id", PersonColumn("user_id"), remote_link("post_id", admin_url=_POST))
    search_fields = ("=user_id", "=post_id")


@admin.register(RepostCount)
class RepostCountAdmin(_BelongsToPost):
    """Repost counts."""

    is_internal = True
    list_display = (remote_link("post_id", admin_url=_POST), "count")
    search_fields = ("=post_id",)


@admin.register(PopularAuthor)
class PopularAuthorAdmin(_BelongsToPost):
    """Authors whose posts are merged into feeds at reading."""

    is_internal = True
    list_display = ("id", PersonColumn("user_id"))
    search_fields = ("=user_id",)


@admin.register(FeedEpoch)
class FeedEpochAdmin(_BelongsToPost):
    """The current epoch of feeds."""

    is_internal = True
    list_display = ("id", "number", "redis_run")
    search_fields = ("redis_run",)


@admin.register(RestoredRemoval)
class RestoredRemovalAdmin(_BelongsToPost):
    """Removals that were reversed."""

    is_internal = True
    list_display = ("action_id", "restored_at")
    search_fields = ("=action_id",)


@admin.register(Media)
class MediaAdmin(_BelongsToPost):
    """Uploads; refusing them is an action."""

    actions = ("refuse",)

    list_display = (
        "id",
        PersonColumn("user_id"),
        remote_link("post_id", admin_url=_POST),
        "kind",
        "status",
        "error",
        "size",
    )
    list_filter = ("status", "kind", "shown_in", "created_at")
    search_fields = ("=id", "=user_id", "=post_id", "=content_hash", "description")

    @admin.action(description="Remove the selected media and refuse them from now on")
    def refuse(self, request: HttpRequest, queryset: QuerySet[Media]) -> None:
        """Removes the posts that show them, as a moderator; the same or similar pictures are refused from then on."""
        for media in queryset:
            try:
                actions.refuse_media(moderator_id=int(request.user.pk or 0), media_id=media.id)
            except Problem as problem:
                self.message_user(request, f"{media}: {problem.detail}", messages.ERROR)


@admin.register(StoredFile)
class StoredFileAdmin(_BelongsToPost):
    """Files in the store."""

    is_internal = True
    list_display = ("digest", "extension", "size", "uses", "unused_since")
    search_fields = ("=digest",)


@admin.register(RefusedMedia)
class RefusedMediaAdmin(_BelongsToPost):
    """Media that may not be uploaded again."""

    is_internal = True
    list_display = ("media_id", "content_hash", "refused_at")
    search_fields = ("=media_id", "=content_hash")


@admin.register(LinkPreview)
class LinkPreviewAdmin(_BelongsToPost):
    """Metadata of pages that posts link to."""

    list_display = ("url", "title", "attempts", "due_at", "fetched_at")
    search_fields = ("url", "title")


@admin.register(PostLink)
class PostLinkAdmin(_BelongsToPost):
    """The previewed links of posts."""

    list_display = (remote_link("post_id", admin_url=_POST), "url_key")
    search_fields = ("=post_id", "=url_key")


@admin.register(MediaPurge)
class MediaPurgeAdmin(_BelongsToPost):
    """URLs to be purged from caches."""

    is_internal = True
    list_display = ("id", "path", "attempts", "created_at")
    search_fields = ("path",)
