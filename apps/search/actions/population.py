"""Fills the index with a generated population, so that it equals what the other contexts hold."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import TypeVar

from django.conf import settings

from apps.search.actions.backend import writer
from apps.search.actions.index import NewPost
from apps.search.queries import EngagementCount, PostEntry, engagement_of, reader
from socialapp.contracts.bulk import Population
from socialapp.contracts.metrics import PostEngagement
from socialapp.contracts.posts import PostDocument
from socialapp.contracts.users import ProfileDocument, ProfileSummary
from socialapp.core.db import atomic
from socialapp.core.text.hashtags import find_hashtags
from socialapp.demo.filling import FillableTable
from socialapp.demo.population import (
    Post,
    answers,
    followers_counts,
    full_name,
    joined_ms,
    moment,
    person_ids,
    text_of,
    username,
)
from socialapp.demo.texts import POSTS

_BATCH = 2000
_REQUESTS = 2

T = TypeVar("T")


def _fill_profiles(population: Population) -> int:
    return _write_all(_profiles(population), lambda some: writer().write_new_profiles(some))


def _profiles(population: Population) -> Iterator[ProfileDocument]:
    followers = followers_counts(population)
    for number, user_id in enumerate(person_ids(population)):
        yield ProfileDocument(
            card=ProfileSummary(id=user_id, username=username(number), full_name=full_name(number), profile_picture=""),
            bio="",
            status="active",
            is_private=False,
            followers_count=followers[number],
            version=1,
            created_at=moment(joined_ms(population, number=number)),
        )


def _fill_posts(population: Population) -> int:
    return _write_all(_posts(population), lambda some: writer().write_new_posts(some))


def _posts(population: Population) -> Iterator[NewPost]:
    ids = person_ids(population)
    for post, comments, reactions in answers(population):
        document = _document(post, author_id=ids[post.author])
        felt = sum(reaction.comment is None for reaction in reactions)
        engagement = engagement_of(PostEngagement(post_id=post.id, comments=len(comments), reactions=felt, reposts=0))
        yield NewPost(document, _entry(post), EngagementCount(post.id, felt, engagement))


def _document(post: Post, *, author_id: int) -> PostDocument:
    return PostDocument(
        id=post.id,
        author_id=author_id,
        content=text_of(post),
        hashtags=_hashtags(post.text),
        is_private=post.is_private,
        has_media=False,
        version=1,
        created_at=moment(post.at_ms),
    )


@cache
def _hashtags(text: int) -> list[str]:
    return find_hashtags(POSTS[text])


def _entry(post: Post) -> PostEntry:
    """Like `PostEntry.of`: posts that differ only in their number share the detection of the language."""
    pattern = _entry_of_first(post.text)
    return replace(pattern, text=f"{pattern.text.rpartition(' ')[0]} {post.number + 1}")


@cache
def _entry_of_first(text: int) -> PostEntry:
    first = Post(number=0, id=0, at_ms=0, author=0, text=text, is_private=False, comments=0, reactions=0)
    return PostEntry.of(_document(first, author_id=0))


def _write_all(documents: Iterator[T], write: Callable[[list[T]], None]) -> int:
    """Writes documents in batches; returns how many. Elasticsearch gets two batches at once, SQLite has one writer."""
    written = 0
    if not settings.ELASTICSEARCH_URL:
        while some := list(islice(documents, _BATCH)):
            with atomic("search"):
                write(some)
            written += len(some)
        return written
    with ThreadPoolExecutor(_REQUESTS) as pool:
        under_way: deque[Future[None]] = deque()
        while some := list(islice(documents, _BATCH)):
            under_way.append(pool.submit(write, some))
            written += len(some)
            if len(under_way) > _REQUESTS:
                under_way.popleft().result()
        for request in under_way:
            request.result()
    return written


def _is_empty(kind: str) -> bool:
    return not reader().status()[kind]


POPULATION_TABLES = {
    "profiles": FillableTable(is_empty=lambda: _is_empty("users"), fill=_fill_profiles),
    "posts": FillableTable(is_empty=lambda: _is_empty("posts"), fill=_fill_posts),
}
