"""Admin pages of notifications, read-only but for dead letters."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.notifications import actions
from apps.notifications.models import (
    MutedConversation,
    Notification,
    NotificationActor,
    NotificationGroup,
    NotificationPreference,
    NotificationSettings,
    OutgoingMessage,
    PushSubscription,
)
from socialapp.http.admin import ContextModelAdmin, PersonColumn


@admin.register(Notification)
class NotificationAdmin(ContextModelAdmin[Notification]):
    """Notifications."""

    list_display = (
        "id",
        PersonColumn("user_id"),
        "kind",
        "message",
        PersonColumn("actor_id"),
        "actors_count",
        "is_read",
        "created_at",
    )
    list_filter = ("kind", "is_read")
    search_fields = ("=id", "=user_id", "=actor_id", "=post_id")


@admin.register(NotificationGroup)
class NotificationGroupAdmin(ContextModelAdmin[NotificationGroup]):
    """The groups of notifications."""

    is_internal = True
    list_display = ("id", "user_id", "topic", "day", "notification_id")
    list_filter = ("day",)
    search_fields = ("=user_id", "=topic")


@admin.register(NotificationActor)
class NotificationActorAdmin(ContextModelAdmin[NotificationActor]):
    """The actors of notifications."""

    is_internal = True
    list_display = ("id", "user_id", "topic", "actor_id", "present", "at")
    list_filter = ("present",)
    search_fields = ("=user_id", "=actor_id", "=topic")


@admin.register(NotificationPreference)
class NotificationPreferenceAdmin(ContextModelAdmin[NotificationPreference]):
    """Channels by person and kind."""

    is_internal = True
    list_display = ("id", "user_id", "kind", "in_app", "push", "email")
    list_filter = ("kind", "in_app", "push", "email")
    search_fields = ("=user_id",)


@admin.register(PushSubscription)
class PushSubscriptionAdmin(ContextModelAdmin[PushSubscription]):
    """Push subscriptions; their keys are not shown."""

    is_internal = True
    list_display = ("id", "user_id", "created_at", "expires_at")
    list_filter = ("created_at",)
    search_fields = ("=user_id",)
    exclude = ("p256dh", "auth")


@admin.register(NotificationSettings)
class NotificationSettingsAdmin(ContextModelAdmin[NotificationSettings]):
    """Notification settings, and whose mail was refused."""

    is_internal = True
    list_display = ("user_id", "digest", "next_digest_at", "time_zone", "suppressed_at", "suppressed_reason")
    list_filter = ("digest", "suppressed_reason")
    search_fields = ("=user_id",)
    exclude = ("address_digest",)


@admin.register(MutedConversation)
class MutedConversationAdmin(ContextModelAdmin[MutedConversation]):
    """Muted conversations."""

    is_internal = True
    list_display = ("id", "user_id", "post_id", "muted", "at")
    list_filter = ("muted",)
    search_fields = ("=user_id", "=post_id")


@admin.register(OutgoingMessage)
class OutgoingMessageAdmin(ContextModelAdmin[OutgoingMessage]):
    """Queued pushes and mails, and dead letters."""

    is_internal = True
    list_display = ("id", "channel", "user_id", "notification_id", "dead", "attempts", "due_at", "error")
    list_filter = ("dead", "channel", "lane")
    search_fields = ("=user_id", "=notification_id")
    actions = ("send_again",)

    @admin.action(description="Send the selected dead letters again")
    def send_again(self, request: HttpRequest, queryset: QuerySet[OutgoingMessage]) -> None:
        """Queues them again."""
        count = actions.resend(queryset.values_list("id", flat=True))
        messages.success(request, f"{count} messages queued again.")
