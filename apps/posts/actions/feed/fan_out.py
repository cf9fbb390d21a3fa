"""Fan-out: pushing posts and reposts into the home feeds of followers."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from apps.posts.actions.feed.epochs import begin_epoch
from apps.posts.actions.feed.store import DIRECT, entry_of, push_entries
from apps.posts.models import PopularAuthor
from socialapp.contracts.posts import FanOutContinued
from socialapp.core.cache import redis_errors
from socialapp.core.db import transactional
from socialapp.lifecycle.removal import deleted_among
from socialapp.messaging.delivery import caused_by, failures_so_far
from socialapp.messaging.publish import publish

log = structlog.get_logger()

FAN_OUT_BATCH = 5000
_TRIES = 3  # failed attempts, over some seconds, before all feeds are invalidated instead


def push_own_post(*, author_id: int, post_id: int) -> None:
    """Pushes a new post into its author's feed at once; without Redis the event does so later."""
    try:
        push_entries(user_ids=[author_id], entries=[entry_of(post_id=post_id)])
    except redis_errors() as error:
        log.warning("feed.redis_away", error=str(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """A post or repost to be pushed to a page of followers; `cause` is the event that triggered it."""

    post_id: int
    author_id: int
    reposter_id: int | None
    follower_ids: Sequence[int]
    to_author: bool = False
    cause: object

    @property
    def entry(self) -> str:
        """The entry to push."""
        return entry_of(post_id=self.post_id, reposter_id=self.reposter_id or DIRECT)

    @property
    def readers(self) -> tuple[int, ...]:
        """The users whose feeds get it."""
        return (self.author_id, *self.follower_ids) if self.to_author else tuple(self.follower_ids)


def fan_out(pages: Sequence[FeedPage]) -> None:
    """Pushes posts into pages of feeds, grouped by feed; a full page continues by event.

    Idempotent. During a longer outage of Redis all lists are invalidated, as they lack these posts.
    """
    by_readers: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for page in pages:
        by_readers[page.readers].append(page.entry)
    try:
        for readers, entries in by_readers.items():
            push_entries(user_ids=readers, entries=entries)
    except redis_errors():
        if failures_so_far() + 1 < _TRIES:
            raise
        begin_epoch()
        return
    for page in pages:
        if len(page.follower_ids) >= FAN_OUT_BATCH:
            with caused_by(page.cause):
                _continue_fan_out(page)


@transactional("posts")
def _continue_fan_out(page: FeedPage) -> None:
    publish(
        FanOutContinued(
            post_id=page.post_id,
            author_id=page.author_id,
            reposter_id=page.reposter_id,
            after=page.follower_ids[-1],
        )
    )


@transactional("posts")
def mark_popular(*, user_id: int) -> None:
    """Marks somebody as popular: from now on their posts are merged in at reading. Idempotent; ignores erased users."""
    if deleted_among("posts", ids=[user_id]):
        return
    _, created = PopularAuthor.objects.get_or_create(user_id=user_id)
    if created:
        begin_epoch()
