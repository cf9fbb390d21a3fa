"""The home feed as the database holds it."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from heapq import merge
from itertools import groupby, islice

from django.db.models import Model, Value
from django.utils import timezone

from apps.posts.models import FeedEpoch, PopularAuthor, Post, Repost
from apps.posts.queries.lists import Entry, Span
from apps.posts.queries.posts import reposters_among
from socialapp.core.ids import first_id_at, id_time
from socialapp.core.sql import placeholders, select

_MANY_AUTHORS = 500
_LATELY = timedelta(days=7)


def feed_entries(*, author_ids: Sequence[int], reposter_ids: Sequence[int], span: Span) -> list[Entry]:
    """Posts of the authors and what the reposters passed on, each once, by post id. Three queries, or four."""
    post_ids = _written_by(author_ids, span)
    reposted_ids = _ids_of(Repost, column="post_id", user_ids=reposter_ids, span=span)
    merged = merge_entries(
        one=[Entry(post_id, post_id) for post_id in post_ids],
        other=[Entry(post_id, post_id) for post_id in reposted_ids],
        span=span,
    )
    wanted = {entry.post_id for entry in merged}.intersection(reposted_ids)
    reposters = reposters_among(post_ids=wanted, user_ids=reposter_ids)
    return [entry._replace(reposter_ids=frozenset(reposters.get(entry.post_id, ()))) for entry in merged]


def _written_by(author_ids: Sequence[int], span: Span) -> list[int]:
    """Posts of authors, in reading direction. Two queries for many authors who have written little lately, else one."""
    if len(author_ids) >= _MANY_AUTHORS and not span.backwards:
        # Sorting all that thousands have ever written takes long, and only the newest of it is asked for.
        end = timezone.now() if span.position is None else id_time(span.position)
        lately = _ids_of(Post, column="id", user_ids=author_ids, span=span, above=first_id_at(end - _LATELY))
        if len(lately) == span.limit:
            return lately
    return _ids_of(Post, column="id", user_ids=author_ids, span=span)


def _ids_of(
    model: type[Model], *, column: str, user_ids: Sequence[int], span: Span, above: int | None = None
) -> list[int]:
    """Posts that people wrote or passed on, each once, in reading direction. One query; for thousands of people the ORM
    would take longer to write it than the database to answer it."""
    if not user_ids:
        return []
    beyond, direction = (">", "ASC") if span.backwards else ("<", "DESC")
    conditions, values = f"user_id IN ({placeholders(user_ids)})", [*user_ids]
    for comparison, bound in ((beyond, span.position), (">", above)):
        if bound is not None:
            conditions += f" AND {column} {comparison} %s"
            values.append(bound)
    distinct = "" if column == model._meta.pk.attname else "DISTINCT "
    sql = (
        f"SELECT {distinct}{column} FROM {model._meta.db_table}"  # noqa: S608 (names of ours only)
        f" WHERE {conditions} ORDER BY {column} {direction} LIMIT %s"
    )
    return [row[0] for row in select(model, sql=sql, values=[*values, span.limit])]


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
