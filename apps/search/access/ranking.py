"""Keeps rankings for some minutes, so that pages neither skip nor repeat while posts are written.

Elasticsearch's points in time do the same, but SQLite has none, and a server keeps only a few hundred open, which
strangers could exhaust. A ranking takes at most 8 KB in Redis.
"""

import secrets
from array import array

import structlog
from django.conf import settings

from socialapp.core.cache import redis_client, redis_errors

log = structlog.get_logger()

_SECONDS = 300


def save_ranking(ids: list[int]) -> str:
    """Stores the ids for five minutes; returns a name to fetch them by, empty without Redis."""
    name = secrets.token_urlsafe(12)
    try:
        redis_client().set(_key(name), array("q", ids).tobytes(), ex=_SECONDS)
    except redis_errors() as error:
        log.warning("search.ranking_not_kept", error=str(error))
        return ""
    return name


def load_ranking(name: str) -> list[int] | None:
    """The ids stored under this name; None if they have expired, or Redis is unavailable."""
    try:
        kept = redis_client().get(_key(name))
    except redis_errors():
        return None
    return list(array("q", kept)) if isinstance(kept, bytes) else None


def _key(name: str) -> str:
    return f"{settings.REDIS_PREFIX}search:ranking:{name}"
