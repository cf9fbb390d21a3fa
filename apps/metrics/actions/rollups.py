"""Adds deltas to the roll-ups, which are kept by hour for some days and by day permanently."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, timedelta

from django.utils import timezone

from apps.metrics import queries
from apps.metrics.models import AuthorRollup, Metric, MetricDelta, OverallRollup, PostRollup, Rollup
from socialapp.contracts.metrics import EngagementChanged, PostEngagement
from socialapp.core.db import transactional
from socialapp.core.ids import new_id
from socialapp.core.sql import add
from socialapp.lifecycle.removal import deleted_among
from socialapp.messaging.publish import publish

ROLL_UP_BATCH = 2000
HOURS_KEPT = timedelta(days=14)

# The key of a roll-up row, and the additions to its columns.
Key = tuple[object, ...]
Additions = dict[Key, dict[str, int]]


@transactional("metrics")
def roll_up(*, older_than: timedelta) -> int:
    """Adds a bounded number of deltas to the roll-ups and deletes them; returns how many.

    Safe to run concurrently: the rows are locked, and a second process finds them deleted. Deltas wait for
    `older_than`, so that a tombstone written at the same time is seen.
    """
    recorded_until = timezone.now() - older_than
    deltas = list(
        MetricDelta.objects.select_for_update()
        .filter(heard_at__lte=recorded_until)
        .order_by("heard_at", "id")[:ROLL_UP_BATCH]
    )
    of_posts = _additions_of_posts(deltas)
    add_to_rollups(PostRollup, owner=("post_id",), additions=of_posts)
    add_to_rollups(AuthorRollup, owner=("author_id",), additions=_additions_of_authors(deltas))
    add_to_rollups(OverallRollup, owner=(), additions=_additions_of_all(deltas))
    MetricDelta.objects.filter(id__in=[delta.id for delta in deltas]).delete()
    _publish_engagement({int(str(key[0])) for key in of_posts})
    return len(deltas)


def _publish_engagement(post_ids: set[int]) -> None:
    """Publishes the present engagement of these posts, in one event, as roll-ups are bounded."""
    numbers = queries.stored_engagement(post_ids)
    counts = [PostEngagement(post_id=post_id, **numbers[post_id]) for post_id in sorted(post_ids)]
    if counts:
        publish(EngagementChanged(batch_id=new_id(), counts=counts))


def delete_old_hours() -> int:
    """Deletes hourly roll-ups past their retention, in bounded steps, keeping daily ones; returns how many."""
    until = timezone.now() - HOURS_KEPT
    removed = 0
    for model in (PostRollup, AuthorRollup, OverallRollup):
        rows = model._default_manager.filter(period=Rollup.Period.HOUR, start__lt=until)
        ids = list(rows.order_by("start").values_list("id", flat=True)[:ROLL_UP_BATCH])
        removed += model._default_manager.filter(id__in=ids).delete()[0]
    return removed


def summed(owned: Iterable[tuple[int | None, MetricDelta]]) -> Additions:
    """The additions to the hour and the day of each delta, for the owner it comes with (None: everybody)."""
    additions: Additions = defaultdict(lambda: defaultdict(int))
    for owner, delta in owned:
        day = delta.at.astimezone(UTC).replace(hour=0)
        for period, start in ((Rollup.Period.HOUR, delta.at), (Rollup.Period.DAY, day)):
            key = (period.value, start) if owner is None else (owner, period.value, start)
            additions[key][delta.metric] += delta.amount
    return additions


def add_to_rollups(model: type[Rollup], *, owner: tuple[str, ...], additions: Additions) -> None:
    """Adds to the rows of a roll-up, inserting missing ones."""
    key = (*owner, "period", "start")
    numbers = [field.name for field in model._meta.fields if field.name not in (*key, "id")]
    amounts = {found: [amount.get(name, 0) for name in numbers] for found, amount in additions.items()}
    add(model, additions=amounts, key=key, numbers=numbers)


def _additions_of_posts(deltas: Iterable[MetricDelta]) -> Additions:
    deleted = queries.deleted_posts({delta.post_id for delta in deltas if delta.post_id is not None})
    return summed(
        (delta.post_id, delta)
        for delta in deltas
        if delta.metric in queries.ENGAGEMENT and delta.post_id is not None and delta.post_id not in deleted
    )


def _additions_of_authors(deltas: Iterable[MetricDelta]) -> Additions:
    authors = {delta.author_id for delta in deltas if delta.author_id is not None}
    erased = deleted_among("metrics", ids=authors)
    return summed(
        (delta.author_id, delta)
        for delta in deltas
        if delta.metric in queries.OF_AUTHOR and delta.author_id is not None and delta.author_id not in erased
    )


def _additions_of_all(deltas: Iterable[MetricDelta]) -> Additions:
    """The overall numbers count what happened, even if it was undone later."""
    return summed(
        (None, delta)
        for delta in deltas
        if delta.amount > 0 and not delta.is_again and delta.metric != Metric.FOLLOWERS
    )
