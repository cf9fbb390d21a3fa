"""Admin pages of metrics, read-only."""

from django.contrib import admin

from apps.metrics.models import AuthorRollup, MetricDelta, OverallRollup, Post, PostRollup
from socialapp.http.admin import ContextModelAdmin, PersonColumn, remote_link

_post = remote_link("post_id", admin_url="admin:posts_post_change")
_author = PersonColumn("author_id")


@admin.register(PostRollup)
class PostRollupAdmin(ContextModelAdmin[PostRollup]):
    """Engagement by post."""

    is_internal = True
    list_display = ("start", "period", _post, "views", "impressions", "reactions", "comments", "reposts")
    list_filter = ("period",)
    search_fields = ("=post_id",)
    ordering = ("-start",)


@admin.register(AuthorRollup)
class AuthorRollupAdmin(ContextModelAdmin[AuthorRollup]):
    """Posts and followers by author."""

    is_internal = True
    list_display = ("start", "period", _author, "posts", "followers")
    list_filter = ("period",)
    search_fields = ("=author_id",)
    ordering = ("-start",)


@admin.register(OverallRollup)
class OverallRollupAdmin(ContextModelAdmin[OverallRollup]):
    """Totals of everybody."""

    is_internal = True
    list_display = (
        "start",
        "period",
        "posts",
        "comments",
        "reactions",
        "reposts",
        "views",
        "impressions",
        "registrations",
    )
    list_filter = ("period",)
    search_fields = ("=id",)
    ordering = ("-start",)


@admin.register(MetricDelta)
class MetricDeltaAdmin(ContextModelAdmin[MetricDelta]):
    """Deltas that are not in the roll-ups yet."""

    is_internal = True
    list_display = ("heard_at", "metric", "amount", "at", _post, _author)
    list_filter = ("metric",)
    search_fields = ("=post_id", "=author_id")
    ordering = ("-heard_at",)


@admin.register(Post)
class PostAdmin(ContextModelAdmin[Post]):
    """The author of each post."""

    is_internal = True
    list_display = ("id", _author, "is_deleted")
    list_filter = ("is_deleted",)
    search_fields = ("=id", "=author_id")
