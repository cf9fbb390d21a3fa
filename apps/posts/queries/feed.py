"""The home feed from the database."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from heapq import merge
from itertools import groupby, islice
from typing import NamedTuple

from django.utils import timezone

from apps.posts.models import FeedEpoch, PopularAuthor, Post
from apps.posts.queries.lists import Entry, Span
from apps.posts.queries.posts import reposters_among
from socialapp.core.ids import first_id_at, id_time
from socialapp.core.sql import placeholders, select

_MANY_AUTHORS = 500
_RECENT_PERIODS = (timedelta(days=7), timedelta(days=30))


class _Part(NamedTuple):
    """A SELECT of pairs (kind, number), to be combined by UNION ALL."""

    sql: str
    values: Sequence[int]


_WRITTEN, _REPOSTED, _EPOCH, _POPULAR = range(4)
_EPOCH_AND_POPULAR = (
    # Signed like the others: MariaDB would make decimals of the combined column.
    _Part(f"SELECT {_EPOCH}, CAST(number AS SIGNED) FROM feed_epoch", ()),  # noqa: S608 (names of ours only)
    # All popular authors, not only those followed, as both sets can be large: the global one is the smaller.
    _Part(f"SELECT {_POPULAR}, user_id FROM popular_authors", ()),  # noqa: S608 (names of ours only)
)


class FeedSource(NamedTuple):
    """The sources of a feed at one moment: its entries, the epoch of feeds, and all popular authors, whose posts are
    merged in at reading."""

    entries: list[Entry]
    epoch: int
    popular_ids: set[int]


def feed_source(*, author_ids: Sequence[int], reposter_ids: Sequence[int], limit: int) -> FeedSource:
    """The newest entries, as `feed_entries` finds them, with the epoch and popular authors in the same queries."""
    found = _ids_by_kind(author_ids, reposter_ids, Span(None, limit), beside=_EPOCH_AND_POPULAR)
    entries = _entries(found, reposter_ids, Span(None, limit))
    return FeedSource(entries, next(iter(found[_EPOCH]), 0), set(found[_POPULAR]))


def feed_entries(*, author_ids: Sequence[int], reposter_ids: Sequence[int], span: Span) -> list[Entry]:
    """Posts of the authors and reposts of the reposters, each post once, by post id.

    One query, one more if something was reposted, and up to two for many authors who have written little recently.
    """
    return _entries(_ids_by_kind(author_ids, reposter_ids, span), reposter_ids, span)


def _entries(found: Mapping[int, Sequence[int]], reposter_ids: Sequence[int], span: Span) -> list[Entry]:
    merged = merge_entries(
        one=[Entry(post_id, post_id) for post_id in found[_WRITTEN]],
        other=[Entry(post_id, post_id) for post_id in found[_REPOSTED]],
        span=span,
    )
    wanted = {entry.post_id for entry in merged}.intersection(found[_REPOSTED])
    reposters = reposters_among(post_ids=wanted, user_ids=reposter_ids) if wanted else {}
    return [entry._replace(reposter_ids=frozenset(reposters.get(entry.post_id, ()))) for entry in merged]


def _ids_by_kind(
    author_ids: Sequence[int], reposter_ids: Sequence[int], span: Span, *, beside: Sequence[_Part] = ()
) -> Mapping[int, Sequence[int]]:
    """Ids of posts and of reposted posts, each once, in reading direction, with the results of the extra parts."""
    first, *later = _periods(author_ids, span)
    reposted = _part(_REPOSTED, "post_id", table="reposts", user_ids=reposter_ids, span=span)
    written = _part(_WRITTEN, "id", table="posts", user_ids=author_ids, span=span, above=first)
    found = _ask([*written, *reposted, *beside])
    for since in later:
        if len(found[_WRITTEN]) == span.limit:
            break
        more = _ask(_part(_WRITTEN, "id", table="posts", user_ids=author_ids, span=span, above=since))
        found[_WRITTEN] = more[_WRITTEN]
    for kind in (_WRITTEN, _REPOSTED):
        found[kind].sort(reverse=not span.backwards)
    return found


def _periods(author_ids: Sequence[int], span: Span) -> list[int | None]:
    """Lower bounds of post ids, to be tried one after the other until there are enough posts; None: no bound.

    Sorting everything that thousands of people ever wrote takes long, and each month is a partition to search for each
    of them, although only the newest are wanted.
    """
    if len(author_ids) < _MANY_AUTHORS or span.backwards:
        return [None]
    end = timezone.now() if span.position is None else id_time(span.position)
    return [*(first_id_at(end - period) for period in _RECENT_PERIODS), None]


def _part(
    kind: int, column: str, *, table: str, user_ids: Sequence[int], span: Span, above: int | None = None
) -> list[_Part]:
    """The part of a query for posts of these people; none without people. In SQL: for thousands of people the ORM takes
    longer to build the query than the database to run it."""
    if not user_ids:
        return []
    beyond, direction = (">", "ASC") if span.backwards else ("<", "DESC")
    conditions, values = f"user_id IN ({placeholders(user_ids)})", [*user_ids]
    for comparison, bound in ((beyond, span.position), (">", above)):
        if bound is not None:
            conditions += f" AND {column} {comparison} %s"
            values.append(bound)
    distinct = "" if column == "id" else "DISTINCT "
    found = f"SELECT {distinct}{column} FROM {table} WHERE {conditions} ORDER BY {column} {direction} LIMIT %s"  # noqa: S608
    return [_Part(f"SELECT {kind}, found.* FROM ({found}) AS found", [*values, span.limit])]  # noqa: S608 (as above)


def _ask(parts: Sequence[_Part]) -> dict[int, list[int]]:
    """The numbers found by the parts of one query, by kind."""
    found: dict[int, list[int]] = {kind: [] for kind in (_WRITTEN, _REPOSTED, _EPOCH, _POPULAR)}
    if parts:
        sql = " UNION ALL ".join(part.sql for part in parts)
        for kind, number in select(Post, sql=sql, values=[value for part in parts for value in part.values]):
            found[kind].append(number)
    return found


def merge_entries(*, one: Sequence[Entry], other: Sequence[Entry], span: Span) -> list[Entry]:
    """Merges two sorted runs of entries, each post once, up to the limit of the span."""
    both = merge(one, other, key=lambda entry: entry.post_id, reverse=not span.backwards)
    united = (
        Entry(post_id, post_id, frozenset().union(*(entry.reposter_ids for entry in same)))
        for post_id, same in groupby(both, key=lambda entry: entry.post_id)
    )
    return list(islice(united, span.limit))


def is_popular(user_id: int) -> bool:
    """Whether somebody's posts are merged in at reading. One query."""
    return PopularAuthor.objects.filter(user_id=user_id).exists()


def feed_epoch() -> int:
    """The epoch of feeds. One query."""
    return FeedEpoch.objects.values_list("number", flat=True).first() or 0


def is_known_redis(process: str) -> bool:
    """Whether this is the Redis process that last held the feeds. One query."""
    return FeedEpoch.objects.filter(redis_run=process).exists()


def existing_posts(post_ids: Iterable[int]) -> set[int]:
    """Those of the posts that exist. One query."""
    return set(Post.objects.filter(id__in=list(post_ids)).values_list("id", flat=True))
