"""What notifications does when something happens elsewhere: notifies people, or removes notifications."""

from apps.notifications.handlers import comments, media, moderation, people, posts, reactions, reposts

__all__ = ["comments", "media", "moderation", "people", "posts", "reactions", "reposts"]
