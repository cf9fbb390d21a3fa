"""The epoch of feeds: raising it invalidates every list that was built before."""

import structlog
from django.db.models import F

from apps.posts.actions.feed.store import announce_epoch, process_of_redis
from apps.posts.models import FeedEpoch
from apps.posts.queries import feed_epoch, is_known_redis
from socialapp.core.cache import redis_errors
from socialapp.core.db import transactional
from socialapp.core.replicas import up_to_date

log = structlog.get_logger()


def remembered_epoch() -> int:
    """The epoch from the database, cached in Redis for a few seconds."""
    with up_to_date():
        epoch = feed_epoch()
    announce_epoch(epoch)
    return epoch


@transactional("posts")
def notice_restart() -> None:
    """Invalidates all feeds if Redis was restarted: the lists that it restored may lack posts. Idempotent."""
    process = process_of_redis()
    if is_known_redis(process):
        return
    begin_epoch()
    FeedEpoch.objects.update(redis_run=process)


@transactional("posts")
def begin_epoch() -> None:
    """Starts a new epoch: every list that was built before is rebuilt at its next reading."""
    FeedEpoch.objects.get_or_create()
    FeedEpoch.objects.update(number=F("number") + 1)
    number = FeedEpoch.objects.get().number
    try:
        announce_epoch(number)
    except redis_errors() as error:
        # Readers drop the older epoch within seconds anyway.
        log.warning("feed.redis_away", error=str(error))
