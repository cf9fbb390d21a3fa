"""Admin pages of the SQLite index, read-only: the index follows its sources."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.search.models import IndexedHashtag, IndexedPost, IndexedProfile, Tombstone


class _LookOnly(admin.ModelAdmin[Any]):
    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: only events write here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: only events write here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: only events write here."""
        return False


@admin.register(IndexedPost)
class IndexedPostAdmin(_LookOnly):
    """Indexed posts."""

    is_internal = True
    list_display = ("post_id", "author_id", "version", "is_private", "has_media", "created_at")
    list_filter = ("is_private", "has_media", "created_at")
    search_fields = ("=post_id", "=author_id")


@admin.register(IndexedProfile)
class IndexedProfileAdmin(_LookOnly):
    """Indexed people."""

    is_internal = True
    list_display = ("user_id", "username", "version", "is_active", "is_private", "followers_count", "created_at")
    list_filter = ("is_active", "is_private", "created_at")
    search_fields = ("=user_id", "username")


@admin.register(IndexedHashtag)
class IndexedHashtagAdmin(_LookOnly):
    """Hashtags of indexed posts."""

    is_internal = True
    list_display = ("tag", "post_id")
    search_fields = ("tag", "=post__post_id")


@admin.register(Tombstone)
class TombstoneAdmin(_LookOnly):
    """Tombstones."""

    is_internal = True
    list_display = ("kind", "doc_id", "deleted_at")
    list_filter = ("kind", "deleted_at")
    search_fields = ("=doc_id",)
