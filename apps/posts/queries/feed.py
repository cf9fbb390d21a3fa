"""The home feed as the database holds it."""

from collections.abc import Iterable, Sequence
from heapq import merge
from itertools import groupby, islice

from django.db.models import Value

from apps.posts.models import FeedEpoch, PopularAuthor, Post, Repost
from apps.posts.queries.lists import Entry, Span, beyond
from apps.posts.queries.posts import reposters_among


def feed_entries(*, author_ids: Sequence[int], reposter_ids: Sequence[int], span: Span) -> list[Entry]:
    """Posts of the authors and what the reposters passed on, each once, by post id. Three queries."""
    written = beyond(Post.objects.filter(user_id__in=author_ids), field="id", span=span)
    passed_on = beyond(Repost.objects.filter(user_id__in=reposter_ids), field="post_id", span=span)
    post_ids = written.values_list("id", flat=True)[: span.limit]
    reposted_ids = list(passed_on.values_list("post_id", flat=True).distinct()[: span.limit])
    merged = merge_entries(
        one=[Entry(post_id, post_id) for post_id in post_ids],
        other=[Entry(post_id, post_id) for post_id in reposted_ids],
        span=span,
    )
    wanted = {entry.post_id for entry in merged}.intersection(reposted_ids)
    reposters = reposters_among(post_ids=wanted, user_ids=reposter_ids)
    return [entry._replace(reposter_ids=frozenset(reposters.get(entry.post_id, ()))) for entry in merged]


def merge_entries(*, one: Sequence[Entry], other: Sequence[Entry], span: Span) -> list[Entry]:
    """Two sorted runs of entries as one, each post once, as many as the span takes."""
    both = merge(one, other, key=lambda entry: entry.post_id, reverse=not span.backwards)
    united = (
        Entry(post_id, post_id, frozenset().union(*(entry.reposter_ids for entry in same)))
        for post_id, same in groupby(both, key=lambda entry: entry.post_id)
    )
    return list(islice(united, span.limit))


def is_popular(user_id: int) -> bool:
    """Whether somebody's posts are merged in at reading. One query."""
    return PopularAuthor.objects.filter(user_id=user_id).exists()


def epoch_and_popular_authors() -> tuple[int, set[int]]:
    """The epoch of feeds, and everybody whose posts are merged in at reading. One query."""
    epoch = FeedEpoch.objects.order_by().values_list(Value(0), "number")
    popular = PopularAuthor.objects.order_by().values_list(Value(1), "user_id")
    # MariaDB makes a decimal of a column that unites unsigned and signed numbers.
    rows = [(kind, int(number)) for kind, number in epoch.union(popular, all=True)]
    return next((number for kind, number in rows if kind == 0), 0), {user_id for kind, user_id in rows if kind == 1}


def feed_epoch() -> int:
    """The epoch of feeds. One query."""
    return FeedEpoch.objects.values_list("number", flat=True).first() or 0


def is_known_redis(process: str) -> bool:
    """Whether this process of Redis held the feeds last. One query."""
    return FeedEpoch.objects.filter(redis_run=process).exists()


def existing_posts(post_ids: Iterable[int]) -> set[int]:
    """Those of the posts that exist. One query."""
    return set(Post.objects.filter(id__in=list(post_ids)).values_list("id", flat=True))
