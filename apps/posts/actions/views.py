"""Counts views of posts in Redis, and publishes them every few seconds. Views lost with Redis are not counted.

A reader counts once per day and post, separately for reading it and for seeing it in a list.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import cast

import redis
import structlog
from django.conf import settings
from django.utils.crypto import salted_hmac

from socialapp.contracts.posts import PostsViewed, ViewCount
from socialapp.core.cache import Command, Script, redis_client, redis_errors
from socialapp.core.db import transactional
from socialapp.core.ids import new_id
from socialapp.messaging.publish import publish

log = structlog.get_logger()

_COUNTS_A_BATCH = 500
_DAY_SECONDS = 86_400


# KEYS: the counts, then today's readers of each post. ARGV: a reader, seconds, then each post as a field of the counts.
# Counts the reader for the posts they had not been counted for.
_COUNT = Script("""
for index = 2, #KEYS do
  if redis.call('SADD', KEYS[index], ARGV[1]) == 1 then
    redis.call('EXPIRE', KEYS[index], ARGV[2])
    redis.call('HINCRBY', KEYS[1], ARGV[index + 1], 1)
  end
end
""")


def reader_of(*, viewer_id: int | None, address: str) -> str:
    """Identifies a reader for one day: a keyed hash of their id, or of the address without a token."""
    who = f"{datetime.now(UTC):%Y-%m-%d}:{viewer_id or address}"
    return salted_hmac("posts.views", who, algorithm="sha256").hexdigest()[:16]


def is_counted_command(*, post_id: int, reader: str) -> Command:
    """The Redis command that checks whether a reader of a post was counted today."""
    return ("SISMEMBER", _readers_key("views", post_id), reader)


def count_view(*, post_id: int, author_id: int, reader: str) -> None:
    """Counts a reader of a post, once a day."""
    _count("views", authors={post_id: author_id}, reader=reader)


def count_impressions(*, authors: Mapping[int, int], reader: str) -> None:
    """Counts posts (id → author) that a reader has seen in a list, each once a day."""
    _count("impressions", authors=authors, reader=reader)


def _count(kind: str, *, authors: Mapping[int, int], reader: str) -> None:
    readers = [_readers_key(kind, post_id) for post_id in authors]
    posts = [f"{post_id}:{author_id}" for post_id, author_id in authors.items()]
    try:
        _COUNT.run(keys=[_key(kind), *readers], arguments=[reader, _DAY_SECONDS, *posts])
    except redis_errors() as error:
        log.warning("views.redis_away", error=str(error))


def _readers_key(kind: str, post_id: int) -> str:
    return f"{_key('readers')}:{kind}:{datetime.now(UTC):%Y%m%d}:{post_id}"


def flush_views() -> int:
    """Publishes the counts since the last run; returns for how many posts.

    The counts are set aside first and deleted after the commit, so a crash in between publishes them again.
    """
    views, impressions = _set_aside("views"), _set_aside("impressions")
    posts = sorted({*views, *impressions})
    if not posts:
        return 0  # before the transaction, which on SQLite waits for other writers
    _publish_counts(
        [_view_count(name, views=views.get(name, 0), impressions=impressions.get(name, 0)) for name in posts]
    )
    redis_client().delete(_key("views-flushing"), _key("impressions-flushing"))
    return len(posts)


def _set_aside(kind: str) -> dict[str, int]:
    client = redis_client()
    with suppress(redis.exceptions.ResponseError):  # the key does not exist if nobody read anything
        client.renamenx(_key(kind), _key(f"{kind}-flushing"))
    counted = cast(dict[bytes, bytes], client.hgetall(_key(f"{kind}-flushing")))
    return {name.decode(): int(number) for name, number in counted.items()}


@transactional("posts")
def _publish_counts(counts: list[ViewCount]) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for start in range(0, len(counts), _COUNTS_A_BATCH):
        publish(PostsViewed(batch_id=new_id(), at=hour, counts=counts[start : start + _COUNTS_A_BATCH]))


def _view_count(name: str, *, views: int, impressions: int) -> ViewCount:
    post_id, author_id = name.split(":")
    return ViewCount(post_id=int(post_id), author_id=int(author_id), views=views, impressions=impressions)


def _key(name: str) -> str:
    return f"{settings.REDIS_PREFIX}posts:{name}"
