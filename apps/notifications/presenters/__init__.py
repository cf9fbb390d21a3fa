"""Presentation of notifications: API bodies, pushes and mails."""

from apps.notifications.presenters.mails import Mail, MailItem, digest_mail, mail_item, notification_mail
from apps.notifications.presenters.moderation import (
    appeal_text,
    removal_text,
    report_text,
    restoration_text,
    restriction_text,
    sanction_text,
)
from apps.notifications.presenters.notifications import (
    NotificationBody,
    new_post_body,
    notification_bodies,
    preferences_body,
    schedule_body,
    subscription_body,
)
from apps.notifications.presenters.pushes import Excerpt, push_message, ttl_of
from apps.notifications.presenters.texts import LANGUAGES, best_language, message_text

__all__ = [
    "LANGUAGES",
    "Excerpt",
    "Mail",
    "MailItem",
    "NotificationBody",
    "appeal_text",
    "best_language",
    "digest_mail",
    "mail_item",
    "message_text",
    "new_post_body",
    "notification_bodies",
    "notification_mail",
    "preferences_body",
    "push_message",
    "removal_text",
    "report_text",
    "restoration_text",
    "restriction_text",
    "sanction_text",
    "schedule_body",
    "subscription_body",
    "ttl_of",
]
