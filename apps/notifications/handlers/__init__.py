"""Event handlers of notifications: they notify people, or delete notifications."""

from apps.notifications.handlers import comments, media, moderation, people, posts, reactions, reposts

__all__ = ["comments", "media", "moderation", "people", "posts", "reactions", "reposts"]
