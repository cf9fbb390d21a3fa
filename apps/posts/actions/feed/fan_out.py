"""Fan-out: pushing posts and reposts into the home feeds of followers."""

from collections.abc import Sequence

import structlog

from apps.posts.actions.feed.epochs import begin_epoch
from apps.posts.actions.feed.store import entry_of, push_entry
from apps.posts.models import PopularAuthor
from socialapp.contracts.posts import FanOutContinued
from socialapp.core.cache import redis_errors
from socialapp.core.db import transactional
from socialapp.lifecycle.removal import gone_among
from socialapp.messaging.delivery import failures_so_far
from socialapp.messaging.publish import publish

log = structlog.get_logger()

FAN_OUT_BATCH = 5000
_TRIES = 3  # pushing fails so often, over some seconds, before all feeds are rebuilt instead


def push_own_post(*, author_id: int, post_id: int) -> None:
    """Puts a new post into its author's feed at once; without Redis the event does it later."""
    try:
        push_entry(user_ids=[author_id], entry=entry_of(post_id=post_id))
    except redis_errors() as error:
        log.warning("feed.redis_away", error=str(error))


def fan_out(
    *,
    post_id: int,
    author_id: int,
    reposter_id: int | None,
    follower_ids: Sequence[int],
    to_author: bool = False,
) -> None:
    """Pushes a post, or the repost of it, into one page of feeds; a full page goes on by event. Again is harmless.

    When Redis stays away, no list that it may come back with counts any more: they lack this post.
    """
    try:
        readers = [author_id, *follower_ids] if to_author else follower_ids
        push_entry(user_ids=readers, entry=entry_of(post_id=post_id, reposter_id=reposter_id or 0))
    except redis_errors():
        if failures_so_far() + 1 < _TRIES:
            raise
        begin_epoch()
        return
    if len(follower_ids) >= FAN_OUT_BATCH:
        _continue_fan_out(
            FanOutContinued(post_id=post_id, author_id=author_id, reposter_id=reposter_id, after=follower_ids[-1])
        )


@transactional("posts")
def _continue_fan_out(event: FanOutContinued) -> None:
    publish(event)


@transactional("posts")
def mark_popular(*, user_id: int) -> None:
    """From now on this person's posts are merged in when feeds are read. Idempotent; nothing for an erased one."""
    if gone_among("posts", ids=[user_id]):
        return
    _, created = PopularAuthor.objects.get_or_create(user_id=user_id)
    if created:
        begin_epoch()
