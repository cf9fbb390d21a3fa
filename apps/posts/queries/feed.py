"""The home feed: read from the user's list in Redis where there is one, from the database where there is none.

Both give the same: posts of those followed and their own, and public posts that those followed have passed on, by
post id from the newest; a post stands once, at the place of its id. Whether it may be shown is decided at reading.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from heapq import merge
from itertools import groupby, islice

import structlog

from apps.posts.models import PopularAuthor, Post, Repost
from apps.posts.queries import feed_cache
from apps.posts.queries.access import PostRow, Seen, Visibility, load_visibility, post_rows
from apps.posts.queries.feed_cache import CAP, DIRECTLY, CachedFeed
from apps.posts.queries.pages import Entry, beyond, fill_page
from socialapp.contracts.users import Following, Users
from socialapp.core.cache import redis_errors
from socialapp.core.pages import Page, PageRequest, keep_place
from socialapp.core.replicas import up_to_date
from socialapp.rpc.calls import client
from socialapp.telemetry.metrics import count_cache_read

log = structlog.get_logger()


def home_feed(user_id: int, page: PageRequest) -> Page[Seen]:
    """A page of the home feed, newest first."""
    return keep_place(page, lambda request: _read_page(user_id, request))


def _read_page(user_id: int, page: PageRequest) -> Page[Seen]:
    feed = _Feed(user_id, _loaded(user_id), backwards=page.backwards)
    try:
        return fill_page(page, read=feed.read, see=feed.see)
    except _Outdated:
        feed = _Feed(user_id, _rebuilt(user_id), backwards=page.backwards, is_fresh=True)
        return fill_page(page, read=feed.read, see=feed.see)


def feed_difference(user_id: int) -> set[int]:
    """The posts that the list in Redis lacks or has too much, compared with the database; none if it is not in use."""
    cached = feed_cache.load_feed(user_id)
    if cached is None or cached.following_version != client(Users).following(user_id=user_id).version:
        return set()
    listed = {entry.post_id for entry in _Feed(user_id, cached, backwards=False).read(None, CAP)}
    stored = {entry.post_id for entry in _Feed(user_id, None, backwards=False).read(None, CAP)}
    if len(listed) >= CAP or len(stored) >= CAP:
        end = max(min(listed, default=0), min(stored, default=0))
        listed, stored = ({post_id for post_id in ids if post_id >= end} for ids in (listed, stored))
    suspects = listed ^ stored
    there = set(Post.objects.filter(id__in=suspects).values_list("id", flat=True))
    return suspects & there  # what was deleted stays in lists and is left out when they are read


class _Outdated(Exception):
    """The list was built before the user last followed or unfollowed somebody."""


class _Feed:
    """One reading of one user's feed: from `cached` as far as that goes, and from the database beyond."""

    def __init__(self, user_id: int, cached: CachedFeed | None, *, backwards: bool, is_fresh: bool = False) -> None:
        self._user_id = user_id
        self._cached = cached
        self._backwards = backwards
        self._is_checked = is_fresh or cached is None

    def read(self, position: int | None, count: int) -> list[Entry]:
        """Up to `count` entries beyond the position, in reading direction."""
        cached = self._cached
        if cached is None:
            return self._from_database(position, count)
        if self._backwards:
            if position is None or position < cached.floor:
                return self._from_database(position, count)
            return self._from_list(cached, position, count)
        if position is not None and position <= cached.floor:
            return self._from_database(position, count)
        found = self._from_list(cached, position, count)
        if len(found) < count and cached.floor:
            found += self._from_database(cached.floor + 1, count - len(found))
        return found

    def see(self, entries: Sequence[Entry]) -> list[Seen]:
        """What of the entries may be shown. Two queries and one call at most."""
        rows = {row.id: row for row in post_rows(entry.post_id for entry in entries)}
        people = {row.user_id for row in rows.values()}.union(*(entry.reposter_ids for entry in entries))
        sight = load_visibility(self._user_id, people)
        self._check(sight)
        reposters = _reposters([entry for entry in entries if entry.reposter_ids])
        return [
            seen
            for entry in entries
            if (row := rows.get(entry.post_id)) and (seen := _shown(row, sight, reposters.get(row.id, [])))
        ]

    def _check(self, sight: Visibility) -> None:
        if not self._is_checked and self._cached and self._cached.following_version != sight.following_version:
            raise _Outdated
        self._is_checked = True

    def _from_list(self, cached: CachedFeed, position: int | None, count: int) -> list[Entry]:
        """What the list holds above its floor, with the posts of popular people, who are not pushed into lists."""
        ids = cached.post_ids
        if self._backwards:
            near = ids[bisect_right(ids, position or 0) :][:count]
        else:
            end = len(ids) if position is None else bisect_left(ids, position)
            near = ids[max(0, end - count) : end][::-1]
        found = [Entry(post_id, post_id, cached.reposter_ids(post_id)) for post_id in near]
        if not cached.popular_ids:
            return found
        popular = _entries(cached.popular_ids, cached.popular_ids, position, count, backwards=self._backwards)
        return _merged(found, [entry for entry in popular if entry.post_id > cached.floor], count, self._backwards)

    def _from_database(self, position: int | None, count: int) -> list[Entry]:
        ids = self._following.ids
        return _entries([*ids, self._user_id], ids, position, count, backwards=self._backwards)

    @cached_property
    def _following(self) -> Following:
        return client(Users).following(user_id=self._user_id)


def is_popular(user_id: int) -> bool:
    """Whether somebody's posts are merged in at reading. One query."""
    return PopularAuthor.objects.filter(user_id=user_id).exists()


def _loaded(user_id: int) -> CachedFeed | None:
    try:
        feed = feed_cache.load_feed(user_id)
    except redis_errors() as error:
        log.warning("feed.redis_away", error=str(error))
        count_cache_read("feed", "away")
        return None
    count_cache_read("feed", "hit" if feed else "miss")
    return feed or _rebuilt(user_id)


def _rebuilt(user_id: int) -> CachedFeed | None:
    """The feed from the database, left in Redis for the next readers; None while somebody else builds it."""
    try:
        mark = feed_cache.begin_feed(user_id)
        if mark is None:
            return None
        with up_to_date():  # what a replica lacks would be missing for as long as the list lives
            feed = _built(user_id)
        feed_cache.finish_feed(user_id, mark, feed)
    except redis_errors() as error:
        log.warning("feed.redis_away", error=str(error))
        return None
    return feed


def _built(user_id: int) -> CachedFeed:
    following = client(Users).following(user_id=user_id)
    epoch = feed_cache.remembered_epoch()
    # All of them and not only those followed, as both sets can be large: the smaller one is the global one.
    popular = set(PopularAuthor.objects.values_list("user_id", flat=True))
    entries = _entries([*following.ids, user_id], following.ids, None, CAP, backwards=False)
    return CachedFeed(
        following_version=following.version,
        epoch=epoch,
        floor=entries[-1].post_id - 1 if len(entries) == CAP else 0,
        popular_ids=tuple(sorted(popular.intersection(following.ids))),
        sources={entry.post_id: entry.reposter_ids or DIRECTLY for entry in entries},
    )


def _entries(
    author_ids: Sequence[int], reposter_ids: Sequence[int], position: int | None, count: int, *, backwards: bool
) -> list[Entry]:
    """Up to `count` entries beyond the position: posts of the authors and what the reposters passed on. 3 queries."""
    written = beyond(Post.objects.filter(user_id__in=author_ids), "id", position, backwards=backwards)
    passed_on = beyond(Repost.objects.filter(user_id__in=reposter_ids), "post_id", position, backwards=backwards)
    post_ids = written.values_list("id", flat=True)[:count]
    reposted_ids = list(passed_on.values_list("post_id", flat=True).distinct()[:count])
    merged = _merged(
        [Entry(post_id, post_id) for post_id in post_ids],
        [Entry(post_id, post_id) for post_id in reposted_ids],
        count,
        backwards,
    )
    reposters: dict[int, set[int]] = {}
    wanted = {entry.post_id for entry in merged}.intersection(reposted_ids)
    rows = Repost.objects.filter(post_id__in=wanted, user_id__in=reposter_ids)
    for post_id, user_id in rows.values_list("post_id", "user_id"):
        reposters.setdefault(post_id, set()).add(user_id)
    return [entry._replace(reposter_ids=frozenset(reposters.get(entry.post_id, ()))) for entry in merged]


def _merged(one: Sequence[Entry], other: Sequence[Entry], count: int, backwards: bool) -> list[Entry]:
    """Two sorted runs of entries as one, each post once."""
    both = merge(one, other, key=lambda entry: entry.post_id, reverse=not backwards)
    united = (
        Entry(post_id, post_id, frozenset().union(*(entry.reposter_ids for entry in same)))
        for post_id, same in groupby(both, key=lambda entry: entry.post_id)
    )
    return list(islice(united, count))


def _reposters(entries: Sequence[Entry]) -> dict[int, list[int]]:
    """Who of those whom the entries name still passes each post on, by ascending id. One query, if any."""
    people = frozenset[int]().union(*(entry.reposter_ids for entry in entries))
    if not people:
        return {}
    rows = Repost.objects.filter(post_id__in=[entry.post_id for entry in entries], user_id__in=people)
    found: dict[int, list[int]] = {}
    for post_id, user_id in rows.order_by("user_id").values_list("post_id", "user_id"):
        found.setdefault(post_id, []).append(user_id)
    return found


def _shown(row: PostRow, sight: Visibility, reposter_ids: Sequence[int]) -> Seen | None:
    """The post as it stands in the feed: for its author's sake if the user follows them, else for a reposter's."""
    author = sight.authors.get(row.user_id)
    if author is None or author.muted or not sight.shows(row):
        return None
    if sight.is_let_in(row.user_id):
        return Seen(row.id, row, author)
    for user_id in reposter_ids:
        reposter = sight.authors.get(user_id)
        if reposter and reposter.follows and not reposter.muted and sight.may_meet(user_id):
            return Seen(row.id, row, author, reposter.card)
    return None
