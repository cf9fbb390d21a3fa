"""Reads home feeds: from the user's list in Redis if there is one, else from the database.

Both give the same: the user's posts and those of the people they follow, and public posts that these reposted, by
descending post id; each post once. Visibility is checked at reading. A list that is missing or outdated is rebuilt,
so reading writes to Redis.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import structlog

from apps.posts.access import Visibility, VisiblePost, fill_page, load_visibility, people_in
from apps.posts.actions.feed import epochs, store
from apps.posts.actions.feed.builder import build_feed
from apps.posts.actions.feed.store import CachedFeed
from apps.posts.queries import (
    Entry,
    PostRow,
    Span,
    existing_posts,
    feed_entries,
    is_popular,
    merge_entries,
    post_refs,
    post_rows,
    reposters_among,
)
from socialapp.contracts.users import Following, Users
from socialapp.core.cache import redis_errors
from socialapp.core.pages import Page, PageRequest, keep_place
from socialapp.rpc.calls import client
from socialapp.telemetry.metrics import count_cache_read

log = structlog.get_logger()


def read_home_feed(*, user_id: int, page: PageRequest, answers: Sequence[Any] = ()) -> Page[VisiblePost]:
    """A page of the home feed, newest first. `answers`: Redis' answers to `feed_commands`, if prefetched."""
    return keep_place(page, read=lambda request: _read_page(user_id=user_id, page=request, answers=answers))


def _read_page(*, user_id: int, page: PageRequest, answers: Sequence[Any]) -> Page[VisiblePost]:
    feed = _FeedReading(user_id, cached=_load_or_build(user_id, answers))
    try:
        return fill_page(page, read=feed.read, visible=feed.visible)
    except _OutdatedError:
        feed = _FeedReading(user_id, cached=build_feed(user_id), is_fresh=True)
        return fill_page(page, read=feed.read, visible=feed.visible)


def feeds_without(*, post_id: int, user_ids: Sequence[int]) -> list[int]:
    """The users whose home feeds lack the post because fan-out has not reached them yet. At most two queries."""
    try:
        lacking = store.feeds_lacking(user_ids=user_ids, post_id=post_id)
    except redis_errors() as error:
        log.warning("feed.redis_away", error=str(error))
        return []  # the database answers
    if lacking and any(is_popular(ref.author_id) for ref in post_refs([post_id])):
        return []  # merged in at reading
    return lacking


def feed_difference(user_id: int) -> set[int]:
    """The posts that the list in Redis lacks or has in excess, compared with the database; none if it is not in use."""
    cached = _load(user_id)
    if cached is None or cached.following_version != client(Users).following(user_id=user_id).version:
        return set()
    listed = {entry.post_id for entry in _FeedReading(user_id, cached=cached).read(Span(None, store.CAP))}
    stored = {entry.post_id for entry in _FeedReading(user_id, cached=None).read(Span(None, store.CAP))}
    if len(listed) >= store.CAP or len(stored) >= store.CAP:
        end = max(min(listed, default=0), min(stored, default=0))
        listed, stored = ({post_id for post_id in ids if post_id >= end} for ids in (listed, stored))
    suspects = listed ^ stored
    return suspects & existing_posts(suspects)  # deleted posts stay in lists and are filtered out at reading


def _load(user_id: int, answers: Sequence[Any] = ()) -> CachedFeed | None:
    """The feed in Redis, unless it is being built or belongs to an earlier epoch."""
    feed, epoch = store.load_feed(user_id, answers=answers)
    if feed is None:
        return None
    return feed if feed.epoch == (epochs.remembered_epoch() if epoch is None else epoch) else None


def _load_or_build(user_id: int, answers: Sequence[Any]) -> CachedFeed | None:
    """The feed, built if need be; None if the database must answer: Redis is down, or somebody else builds the list."""
    try:
        feed = _load(user_id, answers)
    except redis_errors() as error:
        log.warning("feed.redis_away", error=str(error))
        count_cache_read("feed", outcome="away")
        return None
    count_cache_read("feed", outcome="hit" if feed else "miss")
    return feed or build_feed(user_id)


class _OutdatedError(Exception):
    """The list was built before the user last followed or unfollowed somebody."""


class _FeedReading:
    """One reading of one user's feed: from `cached` as far as that reaches, and from the database beyond."""

    def __init__(self, user_id: int, *, cached: CachedFeed | None, is_fresh: bool = False) -> None:
        self._user_id = user_id
        self._cached = cached
        self._is_checked = is_fresh or cached is None

    def read(self, span: Span) -> list[Entry]:
        """Up to `span.limit` entries beyond its position, in reading direction."""
        cached = self._cached
        if cached is None:
            return self._from_database(span)
        if span.backwards:
            if span.position is None or span.position < cached.floor:
                return self._from_database(span)
            return _from_list(cached, span=span)
        if span.position is not None and span.position <= cached.floor:
            return self._from_database(span)
        found = _from_list(cached, span=span)
        if len(found) < span.limit and cached.floor:
            found += self._from_database(Span(cached.floor + 1, span.limit - len(found)))
        return found

    def visible(self, entries: Sequence[Entry]) -> list[VisiblePost]:
        """The posts of the entries that may be shown. At most two queries and one call."""
        post_ids = [entry.post_id for entry in entries]
        rows = {row.id: row for row in post_rows(post_ids, viewer_id=self._user_id)}
        people = people_in(rows.values()).union(*(entry.reposter_ids for entry in entries))
        visibility = load_visibility(viewer_id=self._user_id, author_ids=people)
        self._check(visibility)
        reposters = _present_reposters([entry for entry in entries if entry.reposter_ids])
        found = [rows[post_id] for post_id in post_ids if post_id in rows]
        shown = [_shown(row, visibility=visibility, reposter_ids=reposters.get(row.id, ())) for row in found]
        return [post for post in shown if post is not None]

    def _check(self, visibility: Visibility) -> None:
        if not self._is_checked and self._cached and self._cached.following_version != visibility.following_version:
            raise _OutdatedError
        self._is_checked = True

    def _from_database(self, span: Span) -> list[Entry]:
        ids = self._following.ids
        return feed_entries(author_ids=[*ids, self._user_id], reposter_ids=ids, span=span)

    @cached_property
    def _following(self) -> Following:
        return client(Users).following(user_id=self._user_id)


def _from_list(cached: CachedFeed, *, span: Span) -> list[Entry]:
    """The list's entries above its floor, with the posts of popular authors, which are not pushed into lists."""
    ids = cached.post_ids
    if span.backwards:
        near = ids[bisect_right(ids, span.position or 0) :][: span.limit]
    else:
        end = len(ids) if span.position is None else bisect_left(ids, span.position)
        near = ids[max(0, end - span.limit) : end][::-1]
    if cached.reposters:
        found = [Entry(post_id, post_id, cached.reposter_ids(post_id)) for post_id in near]
    else:
        found = [Entry(post_id, post_id) for post_id in near]
    if not cached.popular_ids:
        return found
    popular = feed_entries(author_ids=cached.popular_ids, reposter_ids=cached.popular_ids, span=span)
    return merge_entries(one=found, other=[entry for entry in popular if entry.post_id > cached.floor], span=span)


def _present_reposters(entries: Sequence[Entry]) -> dict[int, list[int]]:
    """The people among the entries' reposters who still repost each post, by ascending id. At most one query."""
    people = frozenset[int]().union(*(entry.reposter_ids for entry in entries))
    return reposters_among(post_ids=[entry.post_id for entry in entries], user_ids=people) if people else {}


def _shown(row: PostRow, *, visibility: Visibility, reposter_ids: Sequence[int]) -> VisiblePost | None:
    """The post as shown in the feed: because the user follows its author, or else one of its reposters."""
    author = visibility.authors.get(row.user_id)
    if author is None or author.muted or not visibility.shows(row):
        return None
    if row.mentions:
        row = visibility.as_shown(row)
    if visibility.may_see_private(row.user_id):
        return VisiblePost(row.id, row, author)
    for user_id in reposter_ids:
        reposter = visibility.authors.get(user_id)
        if reposter and reposter.follows and not reposter.muted and visibility.may_see_author(user_id):
            return VisiblePost(row.id, row, author, reposter.card)
    return None
