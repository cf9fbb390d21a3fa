"""Records events as deltas. Additions commute, so the order never matters; the inbox makes each event count once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from apps.metrics.models import Metric, MetricDelta, Post, PostRollup
from apps.metrics.queries import deleted_posts, hour_of
from socialapp.contracts.posts import ViewCount
from socialapp.core.db import transactional
from socialapp.core.ids import id_time
from socialapp.core.sql import insert_instances
from socialapp.lifecycle.removal import deleted_among


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
        write_tombstones(theirs)
        MetricDelta.objects.filter(id__in=[deltas[post_id].id for post_id in theirs]).update(author_id=None)


@transactional("metrics")
def record_post_deleted(*, post_id: int, author_id: int, was_counted: bool) -> None:
    """Deletes a post's numbers, and subtracts it from its author's posts if it was counted."""
    write_tombstones([post_id])
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
    if not deleted_posts([post_id]):
        _record([_delta(Metric.COMMENTS, at=id_time(comment_id), post_id=post_id, is_again=True)])


@transactional("metrics")
def record_views(*, counts: Sequence[ViewCount], at: datetime) -> None:
    """Counts a batch of views and impressions; one INSERT whatever its size."""
    deleted = deleted_posts([count.post_id for count in counts])
    _record(
        _delta(metric, at=at, post_id=None if count.post_id in deleted else count.post_id, amount=amount)
        for count in counts
        for metric, amount in ((Metric.VIEWS, count.views), (Metric.IMPRESSIONS, count.impressions))
        if amount
    )


def record_comments(comments: Mapping[int, int], *, amount: int = 1) -> None:
    """Counts comments (comment → post) in the hours they were written, which their ids hold; -1 subtracts them."""
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


def write_tombstones(post_ids: Sequence[int]) -> None:
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
    deleted = deleted_posts({post_id for post_id, _ in occasions if post_id is not None})
    _record(
        _delta(metric, at=at, post_id=None if post_id in deleted else post_id, amount=amount)
        for post_id, at in occasions
    )


def _record_of_author(metric: Metric, *, author_id: int, at: datetime, amount: int = 1, is_again: bool = False) -> None:
    """Records a delta of an author's numbers; does nothing for an erased author."""
    delta = _delta(metric, at=at, author_id=author_id, amount=amount, is_again=is_again)
    _record([delta])
    # Only now that the row is written: see lifecycle/removal.
    if deleted_among("metrics", ids=[author_id], lock=True):
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
