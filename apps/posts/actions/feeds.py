"""Fan-out: pushing posts and reposts into the home feeds of followers."""

from collections.abc import Sequence

import structlog

from apps.posts.models import ErasedAuthor, PopularAuthor
from apps.posts.queries.feed_cache import announce_epoch, entry_of, push_entry
from socialapp.bus.publish import publish
from socialapp.cache import redis_errors
from socialapp.contracts.posts import FanOutContinued
from socialapp.db import atomic

log = structlog.get_logger()

FAN_OUT_PAGE = 5000


def push_own_post(*, author_id: int, post_id: int) -> None:
    """Puts a new post into its author's feed at once; without Redis the event does it later."""
    try:
        push_entry([author_id], entry_of(post_id))
    except redis_errors() as error:
        log.warning("feed.redis_away", error=str(error))


def fan_out(*, post_id: int, author_id: int, reposter_id: int | None, follower_ids: Sequence[int]) -> None:
    """Pushes a post, or the repost of it, into one page of feeds; a full page goes on by event. Again is harmless."""
    push_entry(follower_ids, entry_of(post_id, reposter_id or 0))
    if len(follower_ids) >= FAN_OUT_PAGE:
        with atomic("posts"):
            publish(
                FanOutContinued(post_id=post_id, author_id=author_id, reposter_id=reposter_id, after=follower_ids[-1])
            )


def mark_popular(*, user_id: int) -> None:
    """From now on this person's posts are merged in when feeds are read. Idempotent; nothing for an erased one."""
    with atomic("posts"):
        if ErasedAuthor.objects.filter(user_id=user_id).exists():
            return
        row, created = PopularAuthor.objects.get_or_create(user_id=user_id)
    if not created:
        return
    try:
        announce_epoch(row.id)
    except redis_errors() as error:
        # Readers forget the older epoch within seconds by themselves.
        log.warning("feed.redis_away", error=str(error))
