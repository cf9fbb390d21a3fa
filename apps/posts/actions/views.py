"""Counting who looks at posts: in Redis first, as an event every few seconds. What Redis loses is not counted."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import cast

import redis
import structlog
from django.conf import settings

from socialapp.contracts.posts import PostsViewed, ViewCount
from socialapp.core.cache import redis_client, redis_errors
from socialapp.core.db import transactional
from socialapp.core.ids import new_id
from socialapp.messaging.publish import publish

log = structlog.get_logger()

_COUNTS_A_BATCH = 500


def count_view(*, post_id: int, author_id: int) -> None:
    """Counts one look at a post; without Redis it goes uncounted."""
    try:
        redis_client().hincrby(_key("views"), f"{post_id}:{author_id}", 1)
    except redis_errors() as error:
        log.warning("views.redis_away", error=str(error))


def flush_views() -> int:
    """Publishes what was counted since the last time; how many posts were looked at.

    The counts are set aside first and removed when they are committed. A crash in between publishes them again.
    """
    client = redis_client()
    with suppress(redis.exceptions.ResponseError):  # when nobody looked at anything, there is no such key
        client.renamenx(_key("views"), _key("views-flushing"))
    counted = cast(dict[bytes, bytes], client.hgetall(_key("views-flushing")))
    _publish_counts([_view_count(name.decode(), int(views)) for name, views in counted.items()])
    client.delete(_key("views-flushing"))
    return len(counted)


@transactional("posts")
def _publish_counts(counts: list[ViewCount]) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for start in range(0, len(counts), _COUNTS_A_BATCH):
        publish(PostsViewed(batch_id=new_id(), at=hour, counts=counts[start : start + _COUNTS_A_BATCH]))


def _view_count(name: str, views: int) -> ViewCount:
    post_id, author_id = name.split(":")
    return ViewCount(post_id=int(post_id), author_id=int(author_id), views=views)


def _key(name: str) -> str:
    return f"{settings.REDIS_PREFIX}posts:{name}"
