"""Push messages as devices show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from apps.notifications.access import Visibility
from apps.notifications.gateways.messages import PushMessage, Urgency
from apps.notifications.models import Kind, Notification, Target
from apps.notifications.presenters.notifications import sentence
from apps.notifications.presenters.texts import language_named
from socialapp.contracts.users import ProfileSummary
from socialapp.core.text.excerpts import shortened

_HOUR = 3600
_DAY = 24 * _HOUR
_TTL = {
    Kind.NEW_POST: 12 * _HOUR,
    Kind.REACTION: _DAY,
    Kind.REPOST: _DAY,
    Kind.FOLLOW: _DAY,
    Kind.MODERATION: 28 * _DAY,
}
_DEFAULT_TTL = 3 * _DAY
_URGENCY = {
    Kind.NEW_POST: Urgency.LOW,
    Kind.REACTION: Urgency.LOW,
    Kind.REPOST: Urgency.LOW,
    Kind.REPLY: Urgency.HIGH,
    Kind.MENTION: Urgency.HIGH,
}
_EXCERPT_CHARACTERS = 160
_WEB_PATHS = {Target.POST: "/posts/", Target.COMMENT: "/comments/"}


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a text, or its content warning instead."""

    content: str
    content_warning: str | None = None
    sensitive: bool = False

    def text(self, language: str) -> str:
        """What may be shown to somebody who has not chosen to see sensitive content."""
        if self.content_warning:
            return shortened(self.content_warning, length=_EXCERPT_CHARACTERS)
        if self.sensitive:
            return language_named(language).sensitive
        return shortened(self.content, length=_EXCERPT_CHARACTERS)


def push_message(*, row: Notification, visibility: Visibility, excerpt: Excerpt | None, language: str) -> PushMessage:
    """The message about a visible notification."""
    actors, count = visibility.profiles(row), visibility.actors_count(row)
    text = sentence(row, actors=actors, count=count, language=language)
    is_notice = row.kind == Kind.MODERATION
    picture = actors[0].profile_picture if actors else ""
    return PushMessage(
        id=str(row.id),
        kind=row.kind,
        title=language_named(language).moderation if is_notice else text,
        body=text if is_notice else (excerpt.text(language) if excerpt else ""),
        url=web_url(row=row, actors=actors),
        icon=picture or f"{settings.PUBLIC_URL}{settings.STATIC_URL}favicon.svg",
        ttl=ttl_of(row),
        urgency=_URGENCY.get(Kind(row.kind), Urgency.NORMAL),
        topic=_topic(row),
    )


def ttl_of(row: Notification) -> int:
    """The seconds for which a notification is worth a push."""
    return _TTL.get(Kind(row.kind), _DEFAULT_TTL)


def web_url(*, row: Notification, actors: Sequence[ProfileSummary]) -> str:
    """The path in the web client that shows the target of a notification."""
    path = "/notifications"
    if row.kind == Kind.FOLLOW_REQUEST:
        path = "/follow-requests"
    elif row.target_type in _WEB_PATHS and row.kind != Kind.MODERATION:
        path = f"{_WEB_PATHS[Target(row.target_type)]}{row.target_id}"
    elif actors:
        path = f"/@{actors[0].username}"
    return f"{settings.PUBLIC_URL}{path}"


def _topic(row: Notification) -> str:
    """Identifies what a newer message replaces: an earlier state of the group, or the earlier new post. RFC 8030,
    5.4."""
    if row.kind == Kind.NEW_POST:
        return "new_post"
    return f"g{row.group_id}" if row.group_id is not None else ""
