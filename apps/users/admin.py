"""Admin pages of profiles, follows, blocks and mutes: read-only; bans belong to moderation."""

from django.contrib import admin

from apps.users.models import Block, Follow, FollowRequest, Mute, PostCount, Profile, ProfileReset
from socialapp.http.admin import ContextModelAdmin, PersonColumn, act_link, remote_link


@admin.register(Profile)
class ProfileAdmin(ContextModelAdmin[Profile]):
    """Profiles; an erased person's row is empty."""

    list_display = (
        "user_id",
        PersonColumn("user_id", description="person"),
        "full_name",
        "status",
        "is_private",
        "created_at",
        remote_link("user_id", admin_url="admin:identity_user_change", description="account"),
        act_link("user", field="user_id"),
    )
    search_fields = ("=user_id", "^username_key", "^full_name")
    list_filter = ("status", "is_private", "created_at")


@admin.register(Follow)
class FollowAdmin(ContextModelAdmin[Follow]):
    """Who follows whom."""

    is_internal = True
    list_display = ("id", PersonColumn("follower_id"), PersonColumn("following_id"), "created_at")
    search_fields = ("=follower_id", "=following_id")
    list_filter = ("created_at",)


@admin.register(FollowRequest)
class FollowRequestAdmin(ContextModelAdmin[FollowRequest]):
    """Follow requests to private accounts."""

    is_internal = True
    list_display = ("id", PersonColumn("requester_id"), PersonColumn("target_id"), "created_at")
    search_fields = ("=requester_id", "=target_id")
    list_filter = ("created_at",)


@admin.register(Block)
class BlockAdmin(ContextModelAdmin[Block]):
    """Who blocks whom."""

    is_internal = True
    list_display = ("id", PersonColumn("blocker_id"), PersonColumn("blocked_id"), "created_at")
    search_fields = ("=blocker_id", "=blocked_id")
    list_filter = ("created_at",)


@admin.register(Mute)
class MuteAdmin(ContextModelAdmin[Mute]):
    """Who mutes whom."""

    is_internal = True
    list_display = ("id", PersonColumn("muter_id"), PersonColumn("muted_id"), "created_at")
    search_fields = ("=muter_id", "=muted_id")
    list_filter = ("created_at",)


@admin.register(PostCount)
class PostCountAdmin(ContextModelAdmin[PostCount]):
    """How many posts people have."""

    is_internal = True
    list_display = (PersonColumn("user_id"), "posts", "public_posts")
    search_fields = ("=user_id",)
    list_display_links = None


@admin.register(ProfileReset)
class ProfileResetAdmin(ContextModelAdmin[ProfileReset]):
    """What moderators removed from profiles."""

    is_internal = True
    list_display = (PersonColumn("user_id"), "action_id", "is_undone", "created_at")
    search_fields = ("=user_id", "=action_id")
    list_display_links = None
