"""Detects and repairs drift of engagement and of authors' numbers from their source contexts."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime

from django.utils import timezone

from apps.metrics import queries
from apps.metrics.actions.rollups import Additions, add_to_rollups, summed
from apps.metrics.models import AuthorRollup, MetricDelta, PostRollup
from apps.metrics.queries import hour_of
from socialapp.contracts.comments import Comments
from socialapp.contracts.drift import Drift
from socialapp.contracts.posts import Posts
from socialapp.contracts.reactions import Reactions
from socialapp.contracts.users import Users
from socialapp.core.db import atomic
from socialapp.core.ids import id_time
from socialapp.lifecycle.drift import Compared, events_in_flight, next_after
from socialapp.rpc.calls import client


def check_posts(*, after: int, limit: int, repair: bool) -> Compared:
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
            add_to_rollups(PostRollup, owner=("post_id",), additions=additions)
    left_out = len(ids) - len(compared)
    return Compared(compared=len(compared), in_flight=left_out, drifts=drifts, next_id=next_after(ids, limit=limit))


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


def check_authors(*, after: int, limit: int, repair: bool) -> Compared:
    """Compares the posts counts of the next authors with posts; a difference is added to the present hour."""
    ids = queries.counted_authors(after=after, limit=limit)
    actual = {author_id: {"posts": 0} for author_id in ids}
    for author in client(Posts).author_posts(author_ids=ids) if ids else []:
        actual[author.author_id]["posts"] = author.posts
    held = queries.stored_posts_counts(ids)
    return _check_people(held, actual, source="posts", repair=repair, next_id=next_after(ids, limit=limit))


def check_followers(*, after: int, limit: int, repair: bool) -> Compared:
    """Compares the followers counts of the next people with users; a difference is added to the present hour."""
    people = client(Users).document_page(after=after, limit=limit)
    actual = {one.card.id: {"followers": one.followers_count} for one in people if one.status != "deleted"}
    held = queries.stored_followers_counts(list(actual))
    next_id = next_after([one.card.id for one in people], limit=limit)
    return _check_people(held, actual, source="users", repair=repair, next_id=next_id)


def _check_people(
    held: dict[int, dict[str, int]],
    actual: dict[int, dict[str, int]],
    *,
    source: str,
    repair: bool,
    next_id: int | None,
) -> Compared:
    """Compares stored counts of people with the source context; a difference is added to the present hour."""
    in_flight = events_in_flight((source, "metrics")) if actual else set()
    compared = [user_id for user_id in actual if user_id not in in_flight]
    drifts = [drift for user_id in compared for drift in _differences(user_id, held[user_id], actual[user_id])]
    if repair:
        now = hour_of(timezone.now())
        additions = _differing(compared, held, actual, at_of=lambda _: now)
        with atomic("metrics"):
            add_to_rollups(AuthorRollup, owner=("author_id",), additions=additions)
    left_out = len(actual) - len(compared)
    return Compared(compared=len(compared), in_flight=left_out, drifts=drifts, next_id=next_id)


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
    return summed(
        (owner, MetricDelta(metric=name, at=at_of(owner), amount=actual[owner][name] - held[owner][name]))
        for owner in owners
        for name in actual[owner]
        if actual[owner][name] != held[owner][name]
    )
