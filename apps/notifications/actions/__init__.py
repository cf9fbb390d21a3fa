"""Writes of notifications, and sending them."""

from apps.notifications.actions.drift import check_actors, check_posts
from apps.notifications.actions.erasure import prune_read
from apps.notifications.actions.grouping import NotificationRequest, day_of
from apps.notifications.actions.mails import MailEvent, queue_due_digests, record_mail_events, send_due_mails
from apps.notifications.actions.notifications import (
    FollowerPage,
    delete_notification,
    notify,
    notify_followers,
)
from apps.notifications.actions.preferences import (
    change_preferences,
    change_schedule,
    set_conversation_mute,
    unsubscribe,
)
from apps.notifications.actions.pushes import send_due_pushes
from apps.notifications.actions.queue import resend
from apps.notifications.actions.read_state import mark_read, mark_read_up_to
from apps.notifications.actions.removal import (
    remove_actor,
    remove_between,
    remove_comment,
    undo_activities,
)
from apps.notifications.actions.seen import record_seen
from apps.notifications.actions.socket_messages import (
    EVERYBODY,
    FeedChanged,
    MarkedRead,
    NotificationChanged,
    NotificationsCreated,
    NotificationsRemoved,
    PostsChanged,
    Shown,
    SocketMessage,
    decode_socket_message,
    publish_feed_change,
    publish_media_change,
    publish_post_changes,
    user_group,
)
from apps.notifications.actions.subscriptions import (
    forget_devices_of_sessions,
    remove_subscription,
    subscribe_to_push,
)

__all__ = [
    "EVERYBODY",
    "FeedChanged",
    "FollowerPage",
    "MailEvent",
    "MarkedRead",
    "NotificationChanged",
    "NotificationRequest",
    "NotificationsCreated",
    "NotificationsRemoved",
    "PostsChanged",
    "Shown",
    "SocketMessage",
    "change_preferences",
    "change_schedule",
    "check_actors",
    "check_posts",
    "day_of",
    "decode_socket_message",
    "delete_notification",
    "forget_devices_of_sessions",
    "mark_read",
    "mark_read_up_to",
    "notify",
    "notify_followers",
    "prune_read",
    "publish_feed_change",
    "publish_media_change",
    "publish_post_changes",
    "queue_due_digests",
    "record_mail_events",
    "record_seen",
    "remove_actor",
    "remove_between",
    "remove_comment",
    "remove_subscription",
    "resend",
    "send_due_mails",
    "send_due_pushes",
    "set_conversation_mute",
    "subscribe_to_push",
    "undo_activities",
    "unsubscribe",
    "user_group",
]
