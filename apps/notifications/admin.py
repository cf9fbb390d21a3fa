"""The admin pages of notifications: staff may look; rows are changed by what happens, never by hand."""

from django.contrib import admin

from apps.notifications.models import (
    GoneThing,
    Notification,
    NotificationActor,
    NotificationGroup,
    NotificationPreference,
    PushSubscription,
)
from socialapp.http.admin import ContextModelAdmin


@admin.register(Notification)
class NotificationAdmin(ContextModelAdmin[Notification]):
    """What people were told."""

    list_display = ("id", "user_id", "kind", "message", "actor_id", "actors_count", "is_read", "created_at")
    list_filter = ("kind", "is_read")
    search_fields = ("=id", "=user_id", "=actor_id", "=post_id")


@admin.register(NotificationGroup)
class NotificationGroupAdmin(ContextModelAdmin[NotificationGroup]):
    """What is told together."""

    list_display = ("id", "user_id", "topic", "day", "notification_id")
    list_filter = ("day",)
    search_fields = ("=user_id", "=topic")


@admin.register(NotificationActor)
class NotificationActorAdmin(ContextModelAdmin[NotificationActor]):
    """Who did what people were told of."""

    list_display = ("id", "user_id", "topic", "actor_id", "present", "at")
    list_filter = ("present",)
    search_fields = ("=user_id", "=actor_id", "=topic")


@admin.register(GoneThing)
class GoneThingAdmin(ContextModelAdmin[GoneThing]):
    """What nothing is told of any more."""

    list_display = ("id", "is_person", "gone_at")
    list_filter = ("is_person",)
    search_fields = ("=id",)


@admin.register(NotificationPreference)
class NotificationPreferenceAdmin(ContextModelAdmin[NotificationPreference]):
    """How people want to be told."""

    list_display = ("id", "user_id", "kind", "in_app", "push", "email")
    list_filter = ("kind", "in_app", "push", "email")
    search_fields = ("=user_id",)


@admin.register(PushSubscription)
class PushSubscriptionAdmin(ContextModelAdmin[PushSubscription]):
    """Browsers that take pushes; their keys are not shown."""

    list_display = ("id", "user_id", "created_at", "expires_at")
    list_filter = ("created_at",)
    search_fields = ("=user_id",)
    exclude = ("p256dh", "auth")
