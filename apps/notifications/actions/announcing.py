"""Tells the processes that hold sockets what has changed: words on Redis channels, sent when the change is committed.

They are hints. Whoever misses one finds the change in the database: sockets look there after every silence of Redis.
"""

from collections.abc import Iterable

import msgspec
import structlog
from django.conf import settings
from django.db import router, transaction

from apps.notifications.models import Notification
from socialapp.core.cache import redis_client, redis_errors

log = structlog.get_logger()

# Of one publication, not of one person: what goes to very many people is encoded and sent once.
_SHARED = "notifications:all"


class Told(msgspec.Struct, tag="told", omit_defaults=True):
    """A person has a new notification, or an older one has become this."""

    user_id: int
    notification_id: int
    traceparent: str = ""


class ToldMany(msgspec.Struct, tag="told_many", omit_defaults=True):
    """Many people have the same new notification. `body` is its JSON but for the id; `to` are (person, id)."""

    body: msgspec.Raw
    to: list[tuple[int, int]]
    traceparent: str = ""


class WasRead(msgspec.Struct, tag="read"):
    """A person has read what is named by `ids`, or everything up to `up_to`. `origin`: who need not be told again."""

    user_id: int
    up_to: int | None
    ids: list[int]
    origin: str


class Removed(msgspec.Struct, tag="removed"):
    """Something was taken out of these people's lists."""

    user_ids: list[int]


Word = Told | ToldMany | WasRead | Removed
_decoder = msgspec.json.Decoder(Word)


def user_channel(user_id: int) -> str:
    """The Redis channel of one person."""
    return f"{settings.REDIS_PREFIX}notifications:user:{user_id}"


def shared_channel() -> str:
    """The Redis channel that every process with sockets listens to."""
    return f"{settings.REDIS_PREFIX}{_SHARED}"


def decode_word(data: bytes) -> Word:
    """The word that came over a channel; msgspec.DecodeError when it is none of ours."""
    word: Word = _decoder.decode(data)
    return word


def announce(word: Told | WasRead) -> None:
    """Tells one person's sockets once the running transaction is committed."""
    _publish_on_commit(user_channel(word.user_id), word)


def announce_to_many(word: ToldMany | Removed) -> None:
    """Tells many people's sockets once the running transaction is committed."""
    _publish_on_commit(shared_channel(), word)


def announce_removal(user_ids: Iterable[int]) -> None:
    """Tells these people's sockets that their counts have changed."""
    if wanted := sorted(set(user_ids)):
        announce_to_many(Removed(wanted))


def _publish_on_commit(channel: str, word: Word) -> None:
    transaction.on_commit(lambda: _publish(channel, word), using=router.db_for_write(Notification))


def _publish(channel: str, word: Word) -> None:
    try:
        redis_client().publish(channel, msgspec.json.encode(word))
    except redis_errors() as error:
        log.warning("notifications.not_announced", error=str(error))
