"""Admin pages of the SQLite index, read-only: the index follows its sources."""

from django.contrib import admin

from apps.search.models import IndexedHashtag, IndexedPost, IndexedProfile, Tombstone
from socialapp.http.admin import ContextModelAdmin


@admin.register(IndexedPost)
class IndexedPostAdmin(ContextModelAdmin[IndexedPost]):
    """Indexed posts."""

    is_internal = True
    list_display = ("post_id", "author_id", "version", "is_private", "has_media", "created_at")
    list_filter = ("is_private", "has_media", "created_at")
    search_fields = ("=post_id", "=author_id")


@admin.register(IndexedProfile)
class IndexedProfileAdmin(ContextModelAdmin[IndexedProfile]):
    """Indexed people."""

    is_internal = True
    list_display = ("user_id", "username", "version", "is_active", "is_private", "followers_count", "created_at")
    list_filter = ("is_active", "is_private", "created_at")
    search_fields = ("=user_id", "username")


@admin.register(IndexedHashtag)
class IndexedHashtagAdmin(ContextModelAdmin[IndexedHashtag]):
    """Hashtags of indexed posts."""

    is_internal = True
    list_display = ("tag", "post_id")
    search_fields = ("tag", "=post__post_id")


@admin.register(Tombstone)
class TombstoneAdmin(ContextModelAdmin[Tombstone]):
    """Tombstones."""

    is_internal = True
    list_display = ("kind", "doc_id", "deleted_at")
    list_filter = ("kind", "deleted_at")
    search_fields = ("=doc_id",)
