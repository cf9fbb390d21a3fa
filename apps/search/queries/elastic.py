"""The index in Elasticsearch: filters, sorted by fields that do not change with the collection, so pages are stable."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.conf import settings
from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch, NotFoundError

from apps.search.models import Kind
from apps.search.queries.index import Authors, Hit, TagCount, Viewer, Window
from apps.search.queries.language import Criteria, Phrase
from socialapp.core.errors import Unavailable
from socialapp.rpc.calls import Breaker

Clause = dict[str, Any]

FAULTS_TO_OPEN = 2  # each costs a worker the seconds it waits, and retries of all events come together
OPEN_SECONDS = 5.0
_COMPARISON_SECONDS = 30.0  # nobody waits for it
_MOST_TERMS = 60_000  # Elasticsearch refuses lists over 65,536
_BATCH = 1000

_clients: dict[tuple[int, str, float], Elasticsearch] = {}


def elasticsearch() -> Elasticsearch:
    """The client of this process: it gives up soon and never tries twice, as only a search depends on it."""
    url, seconds = settings.ELASTICSEARCH_URL, settings.ELASTICSEARCH_SECONDS
    key = (os.getpid(), url, seconds)
    if key not in _clients:
        _clients[key] = Elasticsearch(url, request_timeout=seconds, max_retries=0, retry_on_timeout=False)
    return _clients[key]


def read_alias() -> str:
    """What searches read: the alias of one index."""
    return f"{settings.ELASTICSEARCH_PREFIX}-search"


def write_alias() -> str:
    """Marks the indices that every write goes to: the one that is read and, during a rebuild, the new one."""
    return f"{settings.ELASTICSEARCH_PREFIX}-search-write"


def entry_id(kind: str, doc_id: int) -> str:
    """The key of a document: posts and users share the index."""
    return f"{kind}-{doc_id}"


@contextmanager
def answering() -> Iterator[None]:
    """Turns an Elasticsearch that is away, overloaded or slow into 503; a mistake of ours stays one.

    One that hangs is left alone for a while, or the workers would spend their time on waiting for it.
    """
    breaker = _breaker(settings.ELASTICSEARCH_URL)
    if not breaker.allow():
        raise _unavailable()
    try:
        yield
        breaker.note(fault=False)
    except TransportError as error:
        breaker.note(fault=True)
        raise _unavailable() from error
    except ApiError as error:
        breaker.note(fault=False)
        if error.status_code == 429 or error.status_code >= 500:
            raise _unavailable() from error
        raise


@cache
def _breaker(url: str) -> Breaker:
    return Breaker(faults=FAULTS_TO_OPEN, open_seconds=OPEN_SECONDS)


def _unavailable() -> Unavailable:
    return Unavailable("search does not answer right now; everything else works", code="search_unavailable")


class ElasticIndex:
    """See `Index`."""

    name = "elasticsearch"

    def __init__(self, read_from: str = "") -> None:
        self._read_from = read_from or read_alias()

    def posts(self, criteria: Criteria, authors: Authors, viewer: Viewer, window: Window) -> list[Hit]:
        """See `Index.posts`; one request."""
        must = [*_visible_posts(viewer), *map(_phrase, criteria.phrases)]
        must += [{"term": {"hashtags": tag}} for tag in criteria.tags]
        must += _times(criteria)
        if criteria.has_media:
            must.append({"term": {"has_media": True}})
        if authors.only is not None:
            must.append(_authors_in(authors.only))
        must_not = [
            _authors_in(viewer.hidden),
            _authors_in(authors.without),
            *map(_phrase, criteria.without_phrases),
            {"terms": {"hashtags": criteria.without_tags}},
        ]
        query = {"bool": {"filter": must, "must_not": must_not}}
        hits = self._hits(query, window, ["id"])
        return [Hit(position[0], (position[0],)) for position in hits]

    def profiles(self, criteria: Criteria, viewer: Viewer, window: Window, *, names_only: bool = False) -> list[Hit]:
        """See `Index.profiles`; one request."""
        must: list[Clause] = [{"term": {"kind": Kind.USER}}, {"term": {"is_active": True}}]
        for word in criteria.words:
            by_name: Clause = {"match": {"names": word}}
            must.append(by_name if names_only else _any([by_name, {"term": {"text": word}}]))
        must_not: list[Clause] = [{"terms": {"id": viewer.hidden[:_MOST_TERMS]}}]
        for phrase in criteria.without_phrases:
            must_not += [_phrase(phrase), {"match_phrase": {"names": " ".join(phrase)}}]
        query = {"bool": {"filter": must, "must_not": must_not, "should": _ranks(criteria.names)}}
        hits = self._hits(query, window, ["_score", "followers_count", "id"])
        return [Hit(user_id, (int(rank), followers, user_id)) for rank, followers, user_id in hits]

    def hashtags(self, prefixes: list[str], viewer: Viewer, *, limit: int) -> list[TagCount]:
        """See `Index.hashtags`; one request. Prefixes are letters, digits and underscores: nothing to escape."""
        if not prefixes:
            return []
        terms = {
            "field": "hashtags",
            "include": f"({'|'.join(prefixes)}).*",
            "size": limit,
            "order": [{"_count": "desc"}, {"_key": "asc"}],
        }
        query = {
            "bool": {
                "filter": [*_public_posts(), _any([{"prefix": {"hashtags": prefix}} for prefix in prefixes])],
                "must_not": [_authors_in(viewer.hidden)],
            }
        }
        with answering():
            answer = elasticsearch().search(
                index=self._read_from, query=query, aggs={"tags": {"terms": terms}}, size=0, ignore_unavailable=True
            )
        buckets = answer.get("aggregations", {}).get("tags", {}).get("buckets", [])
        return [TagCount(bucket["key"], bucket["doc_count"]) for bucket in buckets]

    def versions(self, kind: str, *, after: int, up_to: int) -> dict[int, int]:
        """See `Index.versions`; makes what was written a moment ago searchable first."""
        found: dict[int, int] = {}
        with answering():
            client = elasticsearch().options(request_timeout=_COMPARISON_SECONDS)
            client.indices.refresh(index=self._read_from, ignore_unavailable=True)
            while True:
                bounds = {"gt": max([after, *found]), "lte": up_to}
                answer = client.search(
                    index=self._read_from,
                    query={"bool": {"filter": [{"term": {"kind": kind}}, {"range": {"id": bounds}}]}},
                    sort=[{"id": "asc"}],
                    source_includes=["id", "version"],
                    size=_BATCH,
                    ignore_unavailable=True,
                )
                rows = [hit["_source"] for hit in answer["hits"]["hits"]]
                found.update((row["id"], row["version"]) for row in rows)
                if len(rows) < _BATCH:
                    return found

    def status(self) -> dict[str, object]:
        """See `Index.status`."""
        with answering():
            try:
                aliases = dict(elasticsearch().indices.get_alias(name=f"{read_alias()}*"))
            except NotFoundError:
                aliases = {}
            counts = {
                label: elasticsearch().count(index=self._read_from, query=query, ignore_unavailable=True)["count"]
                for label, query in (
                    ("posts", {"term": {"kind": Kind.POST}}),
                    ("users", {"term": {"kind": Kind.USER}}),
                    ("tombstones", {"term": {"deleted": True}}),
                )
            }
        indices = {name: sorted(found["aliases"]) for name, found in aliases.items()}
        return {"backend": self.name, **counts, "indices": indices}

    def _hits(self, query: Clause, window: Window, fields: list[str]) -> list[list[Any]]:
        """The sort values of the hits in the window."""
        order = "asc" if window.backwards else "desc"
        with answering():
            answer = elasticsearch().search(
                index=self._read_from,
                query=query,
                sort=[{name: {"order": order}} for name in fields],
                search_after=list(window.position) if window.position is not None else None,
                size=window.limit,
                source=False,
                track_total_hits=False,
                ignore_unavailable=True,
            )
        return [hit["sort"] for hit in answer["hits"]["hits"]]


def _author(*conditions: Clause) -> Clause:
    """Posts whose author's profile meets the conditions."""
    return {"has_parent": {"parent_type": Kind.USER, "query": {"bool": {"filter": list(conditions)}}}}


_ACTIVE: Clause = {"term": {"is_active": True}}
_PUBLIC: Clause = {"term": {"is_private": False}}
_POST: Clause = {"term": {"kind": Kind.POST}}


def _public_posts() -> list[Clause]:
    return [_POST, _PUBLIC, _author(_ACTIVE, _PUBLIC)]


def _visible_posts(viewer: Viewer) -> list[Clause]:
    public = {"bool": {"filter": [_PUBLIC, _author(_PUBLIC)]}}
    return [_POST, _author(_ACTIVE), _any([public, _authors_in(viewer.circle)])]


def _authors_in(ids: list[int]) -> Clause:
    return {"terms": {"author_id": ids[:_MOST_TERMS]}}


def _any(clauses: list[Clause]) -> Clause:
    return {"bool": {"should": clauses, "minimum_should_match": 1}}


def _phrase(phrase: Phrase) -> Clause:
    return {"match_phrase": {"text": " ".join(phrase)}}


def _times(criteria: Criteria) -> list[Clause]:
    bounds = {"lt": criteria.before, "gte": criteria.after}
    given = {name: moment.isoformat() for name, moment in bounds.items() if moment is not None}
    return [{"range": {"created_at": given}}] if given else []


def _ranks(names: list[str]) -> list[Clause]:
    """Constant scores, so that the order does not depend on what else is in the collection."""
    if len(names) != 1:
        return []
    exact = {"constant_score": {"filter": {"term": {"username": names[0]}}, "boost": 2}}
    beginning = {"constant_score": {"filter": {"prefix": {"username": names[0]}}, "boost": 1}}
    return [{"dis_max": {"queries": [exact, beginning]}}]
