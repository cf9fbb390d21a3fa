"""Messages over Redis to the processes that hold sockets, published after the commit of the change they report.

They are hints. A lost one is made up for from the database: sockets look there after every outage of Redis.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from socialapp.core.hints import send_after_commit
from socialapp.core.subscription import group_key

# One group for messages to very many people: encoded and published once, not per person.
EVERYBODY = "users"


class NotificationChanged(msgspec.Struct, tag="notification", omit_defaults=True):
    """A person has a new notification, or a grouped one got a new id."""

    user_id: int
    notification_id: int
    traceparent: str = ""


class NotificationsCreated(msgspec.Struct, tag="notifications", omit_defaults=True):
    """Many people have the same new notification. `body` is its JSON without the id; `recipients` are (person, id)."""

    body: msgspec.Raw
    recipients: list[tuple[int, int]]
    traceparent: str = ""


class MarkedRead(msgspec.Struct, tag="read"):
    """A person has read `ids`, or everything up to `up_to`. `origin`: the process that has already shown it."""

    user_id: int
    up_to: int | None
    ids: list[int]
    origin: str


class NotificationsRemoved(msgspec.Struct, tag="removed"):
    """Notifications were removed from these people's lists."""

    user_ids: list[int]


class FeedChanged(msgspec.Struct, tag="feed"):
    """A post, or a repost of it, is new in the feeds of these people."""

    post_id: int
    user_ids: list[int]


class PostsChanged(msgspec.Struct, tag="posts"):
    """The counts of these posts have changed."""

    post_ids: list[int]


class Shown(msgspec.Struct, tag="show"):
    """A message forwarded to a person's sockets unchanged: `group_send(user_group(7), {"type": "show", "message":
    …})`."""

    message: dict[str, Any]


SocketMessage = (
    NotificationChanged | NotificationsCreated | MarkedRead | NotificationsRemoved | FeedChanged | PostsChanged | Shown
)
_decoder = msgspec.json.Decoder(SocketMessage)


def user_group(user_id: int) -> str:
    """The group of one person's sockets in the channel layer; the group of all is EVERYBODY."""
    return f"user.{user_id}"


def decode_socket_message(data: bytes) -> SocketMessage:
    """The message that came to a group; msgspec.DecodeError if it is not one of ours."""
    message: SocketMessage = _decoder.decode(data)
    return message


def publish_to_user(message: NotificationChanged | MarkedRead) -> None:
    """Sends a message to one person's sockets once the open transaction is committed."""
    _publish_on_commit(user_group(message.user_id), message)


def broadcast(message: NotificationsCreated | NotificationsRemoved | FeedChanged | PostsChanged) -> None:
    """Sends a message to many people's sockets once the open transaction is committed."""
    _publish_on_commit(EVERYBODY, message)


def publish_removal(user_ids: Iterable[int]) -> None:
    """Lets these people's sockets know that their unread counts may have changed."""
    if wanted := sorted(set(user_ids)):
        broadcast(NotificationsRemoved(wanted))


def publish_post_changes(*, post_ids: Iterable[int]) -> None:
    """Lets open pages know that the counts of posts have changed, once the open transaction is committed."""
    if changed := sorted(set(post_ids)):
        broadcast(PostsChanged(changed))


def publish_feed_change(*, post_id: int, user_ids: Sequence[int]) -> None:
    """Lets open pages of these people know that a post, or a repost of it, is new in their feeds."""
    if user_ids:
        broadcast(FeedChanged(post_id, list(user_ids)))


def publish_media_change(*, user_id: int, media_id: int, status: str) -> None:
    """Lets a person's sockets know that an upload is ready, or failed, once the open transaction is committed."""
    _publish_on_commit(user_group(user_id), Shown({"type": "media", "id": str(media_id), "status": status}))


def _publish_on_commit(group: str, message: SocketMessage) -> None:
    """The channel layer's `group_send`, without an event loop."""
    send_after_commit("notifications", ("PUBLISH", group_key(group), msgspec.json.encode(message)))
