"""Builds home feeds from the database and caches them in Redis."""

import structlog

from apps.posts.actions.feed import store
from apps.posts.actions.feed.store import CachedFeed
from apps.posts.queries import feed_source
from socialapp.contracts.users import Users
from socialapp.core.cache import redis_errors
from socialapp.core.replicas import up_to_date
from socialapp.rpc.calls import client

log = structlog.get_logger()


def build_feed(user_id: int) -> CachedFeed | None:
    """The feed from the database, cached for the next readers; None while somebody else builds it."""
    try:
        mark = store.begin_feed(user_id)
        if mark is None:
            return None
        with up_to_date():  # posts missing on a replica would be missing until the list expires
            feed = _read_feed(user_id)
        store.finish_feed(user_id=user_id, mark=mark, feed=feed)
    except redis_errors() as error:
        log.warning("feed.redis_away", error=str(error))
        return None
    return feed


def _read_feed(user_id: int) -> CachedFeed:
    following = client(Users).following(user_id=user_id)
    source = feed_source(author_ids=[*following.ids, user_id], reposter_ids=following.ids, limit=store.CAP)
    store.announce_epoch(source.epoch)
    entries = source.entries
    return CachedFeed(
        following_version=following.version,
        epoch=source.epoch,
        floor=entries[-1].post_id - 1 if len(entries) == store.CAP else 0,
        popular_ids=tuple(sorted(source.popular_ids.intersection(following.ids))),
        post_ids=[entry.post_id for entry in reversed(entries)],
        reposters={entry.post_id: entry.reposter_ids for entry in entries if entry.reposter_ids},
    )
