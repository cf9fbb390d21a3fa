"""Writes of metrics: recording events as deltas, adding deltas to roll-ups, and erasing.

Additions commute, so the order never matters; the inbox makes each event count once.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from apps.metrics import queries
from apps.metrics.models import (
    AuthorRollup,
    Metric,
    MetricDelta,
    OverallRollup,
    Post,
    PostRollup,
    Rollup,
)
from socialapp.contracts.comments import Comments
from socialapp.contracts.drift import Drift, DriftPage
from socialapp.contracts.metrics import EngagementChanged, PostEngagement
from socialapp.contracts.posts import Posts, ViewCount
from socialapp.contracts.reactions import Reactions
from socialapp.contracts.users import Users
from socialapp.core.db import atomic, transactional
from socialapp.core.ids import id_time, new_id
from socialapp.core.sql import add, insert_instances
from socialapp.lifecycle.drift import events_in_flight
from socialapp.lifecycle.removal import declare_removal, deleted_among
from socialapp.messaging.publish import publish
from socialapp.rpc.calls import client

ROLL_UP_BATCH = 2000
ERASE_BATCH = 500
HOURS_KEPT = timedelta(days=14)

_POST_METRICS = frozenset({Metric.VIEWS, Metric.IMPRESSIONS, Metric.REACTIONS, Metric.COMMENTS, Metric.REPOSTS})
_AUTHOR_METRICS = frozenset({Metric.POSTS, Metric.FOLLOWERS})

# The key of a roll-up row, and the additions to its columns.
Key = tuple[object, ...]
Additions = dict[Key, dict[str, int]]


@transactional("metrics")
def record_posts(authors: Mapping[int, int]) -> None:
    """Records the authors of new posts (post → author), and counts the posts.

    A post whose deletion arrived first stays a tombstone.
    """
    posts = [Post(id=post_id, author_id=authors[post_id]) for post_id in sorted(authors)]
    Post.objects.bulk_create(posts, ignore_conflicts=True)
    deltas = {post_id: _delta(Metric.POSTS, at=id_time(post_id), author_id=authors[post_id]) for post_id in authors}
    _record(deltas.values())
    if erased := deleted_among("metrics", ids=set(authors.values()), lock=True):
        theirs = [post_id for post_id, author_id in authors.items() if author_id in erased]
        _write_tombstones(theirs)
        MetricDelta.objects.filter(id__in=[deltas[post_id].id for post_id in theirs]).update(author_id=None)


@transactional("metrics")
def record_post_deleted(*, post_id: int, author_id: int, was_counted: bool) -> None:
    """Deletes a post's numbers, and subtracts it from its author's posts if it was counted."""
    _write_tombstones([post_id])
    if was_counted:
        record_post_removed(post_id=post_id, author_id=author_id)


@transactional("metrics")
def record_post_removed(*, post_id: int, author_id: int) -> None:
    """Subtracts a post from its author's posts."""
    _record_of_author(Metric.POSTS, author_id=author_id, at=id_time(post_id), amount=-1)


@transactional("metrics")
def record_post_restored(*, post_id: int, author_id: int) -> None:
    """Adds a post to its author's posts again."""
    _record_of_author(Metric.POSTS, author_id=author_id, at=id_time(post_id), is_again=True)


@transactional("metrics")
def record_comment_restored(*, post_id: int, comment_id: int) -> None:
    """Adds a comment to its post's numbers again."""
    if not _deleted_among([post_id]):
        _record([_delta(Metric.COMMENTS, at=id_time(comment_id), post_id=post_id, is_again=True)])


@transactional("metrics")
def record_views(*, counts: Sequence[ViewCount], at: datetime) -> None:
    """Counts a batch of views and impressions; one INSERT whatever its size."""
    deleted = _deleted_among([count.post_id for count in counts])
    _record(
        _delta(metric, at=at, post_id=None if count.post_id in deleted else count.post_id, amount=amount)
        for count in counts
        for metric, amount in ((Metric.VIEWS, count.views), (Metric.IMPRESSIONS, count.impressions))
        if amount
    )


def record_comments(comments: Mapping[int, int], *, amount: int = 1) -> None:
    """Counts comments (comment → post), or with -1 subtracts them, in the hour they were written, which is part of the
    id."""
    occasions = [(post_id, id_time(comment_id)) for comment_id, post_id in comments.items()]
    _record_engagement(Metric.COMMENTS, occasions, amount=amount)


def record_reactions(occasions: Iterable[tuple[int | None, datetime]], *, amount: int = 1) -> None:
    """Counts reactions, or with -1 subtracts them: (post, time) each.

    None instead of the post is a reaction to a comment, which counts only in the overall numbers.
    """
    _record_engagement(Metric.REACTIONS, list(occasions), amount=amount)


def record_repost(*, post_id: int, at: datetime, amount: int = 1) -> None:
    """Counts a repost, or with -1 subtracts one."""
    _record_engagement(Metric.REPOSTS, [(post_id, at)], amount=amount)


@transactional("metrics")
def record_registration(*, at: datetime) -> None:
    """Counts a registration."""
    _record([_delta(Metric.REGISTRATIONS, at=at)])


@transactional("metrics")
def record_follower(*, author_id: int, at: datetime, amount: int) -> None:
    """Counts one follower gained or, with -1, lost."""
    _record_of_author(Metric.FOLLOWERS, author_id=author_id, at=at, amount=amount)


def _erase_step(user_id: int) -> bool:
    """Erases a user's numbers in bounded steps."""
    MetricDelta.objects.filter(author_id=user_id).update(author_id=None)
    AuthorRollup.objects.filter(author_id=user_id).delete()
    posts = list(Post.objects.filter(author_id=user_id).order_by("id").values_list("id", flat=True)[:ERASE_BATCH])
    _write_tombstones(posts)
    return len(posts) < ERASE_BATCH


def _authors_with_rows(user_ids: Collection[int]) -> set[int]:
    authors: set[int] = set()
    for rows in (Post.objects, AuthorRollup.objects, MetricDelta.objects):
        found = rows.filter(author_id__in=user_ids).values_list("author_id", flat=True).distinct()
        authors.update(author_id for author_id in found if author_id is not None)
    return authors


declare_removal("metrics", kind="user", step=_erase_step, leftovers=_authors_with_rows)


@transactional("metrics")
def roll_up(*, older_than: timedelta) -> int:
    """Adds a bounded number of deltas to the roll-ups and deletes them; returns how many.

    Safe to run concurrently: the rows are locked, and a second process finds them deleted. Deltas wait for
    `older_than` seconds, so that a tombstone written at the same time is seen.
    """
    recorded_until = timezone.now() - older_than
    deltas = list(
        MetricDelta.objects.select_for_update()
        .filter(heard_at__lte=recorded_until)
        .order_by("heard_at", "id")[:ROLL_UP_BATCH]
    )
    of_posts = _additions_of_posts(deltas)
    _add(PostRollup, ("post_id",), of_posts)
    _add(AuthorRollup, ("author_id",), _additions_of_authors(deltas))
    _add(OverallRollup, (), _additions_of_all(deltas))
    MetricDelta.objects.filter(id__in=[delta.id for delta in deltas]).delete()
    _publish_engagement({int(str(key[0])) for key in of_posts})
    return len(deltas)


def _publish_engagement(post_ids: set[int]) -> None:
    """Publishes the present engagement of these posts, in one event, as roll-ups are bounded."""
    numbers = queries.stored_engagement(post_ids)
    counts = [PostEngagement(post_id=post_id, **numbers[post_id]) for post_id in sorted(post_ids)]
    if counts:
        publish(EngagementChanged(batch_id=new_id(), counts=counts))


def check_posts(*, after: int, limit: int, repair: bool) -> tuple[DriftPage, int | None]:
    """Compares the stored engagement of the next posts with its source contexts; views have no other source.

    A difference is added to the hour in which the post was written, as its real time is unknown.
    """
    ids = queries.existing_posts(after=after, limit=limit)
    actual = _actual_engagement(ids)
    held = queries.stored_engagement(ids)
    in_flight = events_in_flight(("posts", "comments", "reactions", "metrics")) if ids else set()
    compared = [post_id for post_id in ids if post_id not in in_flight]
    drifts = [drift for post_id in compared for drift in _differences(post_id, held[post_id], actual[post_id])]
    if repair:
        additions = _differing(compared, held, actual, at_of=lambda post_id: hour_of(id_time(post_id)))
        with atomic("metrics"):
            _add(PostRollup, ("post_id",), additions)
    checked = DriftPage(compared=len(compared), in_flight=len(ids) - len(compared), drifts=drifts, next=None)
    return checked, ids[-1] if len(ids) == limit else None


def _actual_engagement(post_ids: list[int]) -> dict[int, dict[str, int]]:
    actual = {post_id: {"comments": 0, "reactions": 0, "reposts": 0} for post_id in post_ids}
    if post_ids:
        for comments in client(Comments).counts(post_ids=post_ids):
            actual[comments.post_id]["comments"] = comments.count
        for summary in client(Reactions).summaries(viewer_id=None, target_type="post", target_ids=post_ids):
            actual[summary.target_id]["reactions"] = sum(asdict(summary.counts).values())
        for number in client(Posts).reposts(post_ids=post_ids):
            actual[number.post_id]["reposts"] = number.reposts
    return actual


def check_authors(*, after: int, limit: int, repair: bool) -> tuple[DriftPage, int | None]:
    """Compares the posts counts of the next authors with posts; a difference is added to the present hour."""
    ids = queries.counted_authors(after=after, limit=limit)
    actual = {author_id: {"posts": 0} for author_id in ids}
    for author in client(Posts).author_posts(author_ids=ids) if ids else []:
        actual[author.author_id]["posts"] = author.posts
    checked = _check_people(queries.stored_posts_counts(ids), actual, source="posts", repair=repair)
    return checked, ids[-1] if len(ids) == limit else None


def check_followers(*, after: int, limit: int, repair: bool) -> tuple[DriftPage, int | None]:
    """Compares the followers counts of the next people with users; a difference is added to the present hour."""
    people = client(Users).document_page(after=after, limit=limit)
    actual = {one.card.id: {"followers": one.followers_count} for one in people if one.status != "deleted"}
    checked = _check_people(queries.stored_followers_counts(list(actual)), actual, source="users", repair=repair)
    return checked, people[-1].card.id if len(people) == limit else None


def _check_people(
    held: dict[int, dict[str, int]], actual: dict[int, dict[str, int]], *, source: str, repair: bool
) -> DriftPage:
    """Compares stored counts of people with the source context; a difference is added to the present hour."""
    in_flight = events_in_flight((source, "metrics")) if actual else set()
    compared = [user_id for user_id in actual if user_id not in in_flight]
    drifts = [drift for user_id in compared for drift in _differences(user_id, held[user_id], actual[user_id])]
    if repair:
        now = hour_of(timezone.now())
        with atomic("metrics"):
            _add(AuthorRollup, ("author_id",), _differing(compared, held, actual, at_of=lambda _: now))
    return DriftPage(compared=len(compared), in_flight=len(actual) - len(compared), drifts=drifts, next=None)


def _differences(owner: int, held: dict[str, int], actual: dict[str, int]) -> list[Drift]:
    return [
        Drift(projection=name, id=owner, held=str(held[name]), actual=str(actual[name]))
        for name in actual
        if held[name] != actual[name]
    ]


def _differing(
    owners: Iterable[int],
    held: dict[int, dict[str, int]],
    actual: dict[int, dict[str, int]],
    *,
    at_of: Callable[[int], datetime],
) -> Additions:
    """The additions that correct the numbers."""
    return _summed(
        (owner, MetricDelta(metric=name, at=at_of(owner), amount=actual[owner][name] - held[owner][name]))
        for owner in owners
        for name in actual[owner]
        if actual[owner][name] != held[owner][name]
    )


def delete_old_hours() -> int:
    """Deletes hourly roll-ups past their retention, in bounded steps, keeping daily ones; returns how many."""
    until = timezone.now() - HOURS_KEPT
    removed = 0
    for model in (PostRollup, AuthorRollup, OverallRollup):
        rows = model._default_manager.filter(period=Rollup.Period.HOUR, start__lt=until)
        ids = list(rows.order_by("start").values_list("id", flat=True)[:ROLL_UP_BATCH])
        removed += model._default_manager.filter(id__in=ids).delete()[0]
    return removed


def hour_of(moment: datetime) -> datetime:
    """The start of the hour of `moment`, UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _is_erased(user_id: int) -> bool:
    """Must be called after the rows were written: see lifecycle/removal."""
    return bool(deleted_among("metrics", ids=[user_id], lock=True))


def _deleted_among(post_ids: Iterable[int]) -> set[int]:
    return queries.deleted_among(list(post_ids))


def _write_tombstones(post_ids: Sequence[int]) -> None:
    """Replaces the posts by tombstones; their deltas remain for the overall numbers only."""
    if not post_ids:
        return
    Post.objects.bulk_create([Post(id=post_id, is_deleted=True) for post_id in post_ids], ignore_conflicts=True)
    Post.objects.filter(id__in=post_ids).update(is_deleted=True, author_id=None)
    MetricDelta.objects.filter(post_id__in=post_ids).update(post_id=None)
    PostRollup.objects.filter(post_id__in=post_ids).delete()


@transactional("metrics")
def _record_engagement(metric: Metric, occasions: Sequence[tuple[int | None, datetime]], *, amount: int) -> None:
    """One query and one INSERT, however many there are."""
    deleted = _deleted_among({post_id for post_id, _ in occasions if post_id is not None})
    _record(
        _delta(metric, at=at, post_id=None if post_id in deleted else post_id, amount=amount)
        for post_id, at in occasions
    )


def _record_of_author(metric: Metric, *, author_id: int, at: datetime, amount: int = 1, is_again: bool = False) -> None:
    """Records a delta of an author's numbers; does nothing for an erased author."""
    delta = _delta(metric, at=at, author_id=author_id, amount=amount, is_again=is_again)
    _record([delta])
    if _is_erased(author_id):
        MetricDelta.objects.filter(id=delta.id).delete()


def _record(deltas: Iterable[MetricDelta]) -> None:
    """One INSERT, however many there are."""
    insert_instances("metrics", instances=list(deltas))


def _delta(
    metric: Metric,
    *,
    at: datetime,
    post_id: int | None = None,
    author_id: int | None = None,
    amount: int = 1,
    is_again: bool = False,
) -> MetricDelta:
    hour = hour_of(at)
    return MetricDelta(
        metric=metric.value, at=hour, post_id=post_id, author_id=author_id, amount=amount, is_again=is_again
    )


def _additions_of_posts(deltas: Iterable[MetricDelta]) -> Additions:
    deleted = _deleted_among({delta.post_id for delta in deltas if delta.post_id is not None})
    return _summed(
        (delta.post_id, delta)
        for delta in deltas
        if delta.metric in _POST_METRICS and delta.post_id is not None and delta.post_id not in deleted
    )


def _additions_of_authors(deltas: Iterable[MetricDelta]) -> Additions:
    authors = {delta.author_id for delta in deltas if delta.author_id is not None}
    erased = deleted_among("metrics", ids=authors)
    return _summed(
        (delta.author_id, delta)
        for delta in deltas
        if delta.metric in _AUTHOR_METRICS and delta.author_id is not None and delta.author_id not in erased
    )


def _additions_of_all(deltas: Iterable[MetricDelta]) -> Additions:
    """The overall numbers count what happened, even if it was undone later."""
    return _summed(
        (None, delta)
        for delta in deltas
        if delta.amount > 0 and not delta.is_again and delta.metric != Metric.FOLLOWERS
    )


def _summed(owned: Iterable[tuple[int | None, MetricDelta]]) -> Additions:
    additions: Additions = defaultdict(lambda: defaultdict(int))
    for owner, delta in owned:
        day = delta.at.astimezone(UTC).replace(hour=0)
        for period, start in ((Rollup.Period.HOUR, delta.at), (Rollup.Period.DAY, day)):
            key = (period.value, start) if owner is None else (owner, period.value, start)
            additions[key][delta.metric] += delta.amount
    return additions


def _add(model: type[Rollup], owner: tuple[str, ...], additions: Additions) -> None:
    """Adds to the rows of a roll-up, inserting missing ones."""
    key = (*owner, "period", "start")
    numbers = [field.name for field in model._meta.fields if field.name not in (*key, "id")]
    amounts = {found: [amount.get(name, 0) for name in numbers] for found, amount in additions.items()}
    add(model, additions=amounts, key=key, numbers=numbers)
