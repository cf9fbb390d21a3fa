"""The newest notifications that open pages have shown, kept in Redis for a short while by socket processes."""

from collections.abc import Iterable, Mapping

import structlog
from django.conf import settings

from socialapp.core.cache import redis_client, redis_errors

log = structlog.get_logger()

# Longer than the delay before a push, shorter than a push is worth sending.
_SECONDS = 120


def _key(user_id: int) -> str:
    return f"{settings.REDIS_PREFIX}notifications:seen:{user_id}"


def record_seen(newest: Mapping[int, int]) -> None:
    """Records the newest notification that an open page of each person has shown. One round trip."""
    try:
        pipeline = redis_client().pipeline(transaction=False)
        for user_id, notification_id in newest.items():
            pipeline.set(_key(user_id), notification_id, ex=_SECONDS)
        pipeline.execute()
    except redis_errors() as error:
        log.warning("notifications.seen_not_recorded", error=str(error))


def seen_on_sockets(user_ids: Iterable[int]) -> dict[int, int]:
    """The newest notification that an open page of each person has shown recently. One round trip."""
    people = sorted(set(user_ids))
    if not people:
        return {}
    try:
        found = redis_client().mget([_key(user_id) for user_id in people])
    except redis_errors() as error:
        log.warning("notifications.seen_unknown", error=str(error))
        return {}
    return {user_id: int(value) for user_id, value in zip(people, found, strict=True) if value}
