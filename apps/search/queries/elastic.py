"""Reads the index in Elasticsearch: sorted by fields that do not depend on the collection, so that pages are stable."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from elastic_transport import TransportError
from elasticsearch import ApiError, NotFoundError
from elasticsearch.dsl import Search

from apps.search.models import Kind
from apps.search.models.documents import elasticsearch, search_in, sorted_hits
from apps.search.queries.criteria import (
    AllOf,
    AnyOf,
    Criteria,
    From,
    Has,
    Language,
    MinReactions,
    Node,
    Not,
    Phrase,
    Tag,
    Written,
)
from apps.search.queries.index import (
    BEGINNING_OF_NAME,
    BY_WORDS,
    EXACT_NAME,
    MAX_RANKED,
    RECENCY_HALF_LIFE,
    STEM_WEIGHT,
    Authors,
    Hit,
    TagCount,
    Viewer,
    Window,
    expand,
)
from apps.search.queries.languages import Words, variants
from socialapp.core.breaker import Breaker
from socialapp.core.errors import Unavailable

FAULTS_TO_OPEN = 2  # each makes a worker wait for seconds, and retries of all events coincide
OPEN_SECONDS = 5.0
_COMPARISON_SECONDS = 30.0  # runs in the background
_MAX_TERMS = 60_000  # Elasticsearch refuses lists over 65,536
_BATCH = 1000
_SIMILAR_WORDS = 3


# A query as Elasticsearch's JSON. The DSL's objects take longer to build than Elasticsearch takes to answer.
Query = dict[str, Any]


def _clause(kind: str, /, **details: Any) -> Query:
    return {kind: details}


def read_alias() -> str:
    """What searches read: the alias of one index."""
    return f"{settings.ELASTICSEARCH_PREFIX}-search"


def write_alias() -> str:
    """The alias of the indices that every write goes to: the one that is read and, during a rebuild, the new one."""
    return f"{settings.ELASTICSEARCH_PREFIX}-search-write"


def entry_id(*, kind: str, doc_id: int) -> str:
    """The key of a document: posts and users share the index."""
    return f"{kind}-{doc_id}"


@contextmanager
def answering() -> Iterator[None]:
    """Raises Unavailable (503) for an Elasticsearch that is unavailable, overloaded or slow; our own errors stay
    errors.

    A circuit breaker skips a hanging server for a while, or workers would spend their time waiting.
    """
    breaker = _breaker(settings.ELASTICSEARCH_URL)
    if not breaker.allow():
        raise _unavailable()
    try:
        yield
        breaker.record(fault=False)
    except TransportError as error:
        breaker.record(fault=True)
        raise _unavailable() from error
    except ApiError as error:
        breaker.record(fault=False)
        if error.status_code == 429 or error.status_code >= 500:
            raise _unavailable() from error
        raise


@cache
def _breaker(url: str) -> Breaker:
    return Breaker(faults=FAULTS_TO_OPEN, open_seconds=OPEN_SECONDS)


def _unavailable() -> Unavailable:
    return Unavailable("search is temporarily unavailable; everything else works", code="search_unavailable")


class ElasticIndex:
    """See `Index`."""

    name = "elasticsearch"

    def __init__(self, read_from: str = "") -> None:
        self._read_from = read_from or read_alias()

    def posts(self, criteria: Criteria, authors: Authors, viewer: Viewer, window: Window) -> list[Hit]:
        """See `Index.posts`; one request."""
        hits = self._hits(_matching_posts(criteria, authors, viewer), window, ["id"])
        return [Hit(position[0], (position[0],)) for position in hits]

    def ranked_posts(self, criteria: Criteria, authors: Authors, viewer: Viewer, *, now: datetime) -> list[int]:
        """See `Index.ranked_posts`; one request."""
        scored = [part for phrase in criteria.phrases for part in _scores(phrase)]
        query = _clause(
            "function_score",
            query=_matching_posts(criteria, authors, viewer, should=scored or [_clause("match_all")]),
            functions=[
                {"field_value_factor": {"field": "engagement", "modifier": "ln2p", "missing": 0}},
                {
                    "exp": {
                        "created_at": {
                            "origin": now.isoformat(),
                            "scale": f"{RECENCY_HALF_LIFE.days}d",
                            "decay": 0.5,
                        }
                    }
                },
            ],
            score_mode="multiply",
            boost_mode="multiply",
        )
        hits = self._hits(query, Window(MAX_RANKED), ["_score", "id"])
        return [post_id for _, post_id in hits]

    def profiles(self, criteria: Criteria, viewer: Viewer, window: Window, *, names_only: bool = False) -> list[Hit]:
        """See `Index.profiles`; one request."""
        conditions = [_clause("term", kind=Kind.USER), _clause("term", is_active=True)]
        if criteria.root is not None:
            conditions.append(_profile_condition(criteria.root, names_only=names_only))
        query = _clause(
            "bool",
            filter=conditions,
            must_not=_among("id", viewer.hidden),
            should=[_clause("dis_max", queries=_ranks(criteria, names_only=names_only))],
        )
        hits = self._hits(query, window, ["_score", "followers_count", "id"])
        return [Hit(user_id, (int(rank), followers, user_id)) for rank, followers, user_id in hits]

    def hashtags(self, prefixes: list[str], viewer: Viewer, *, limit: int) -> list[TagCount]:
        """See `Index.hashtags`; one request. Prefixes are letters, digits and underscores: nothing to escape."""
        if not prefixes:
            return []
        query = _posts_with_hashtags(_any([_clause("prefix", hashtags=prefix) for prefix in prefixes]), viewer)
        search = self._search(query)[0:0]
        search.aggs.bucket(
            "tags",
            "terms",
            field="hashtags",
            include=f"({'|'.join(prefixes)}).*",
            size=limit,
            order=[{"_count": "desc"}, {"_key": "asc"}],
        )
        return [TagCount(bucket["key"], bucket["doc_count"]) for bucket in _buckets(search)]

    def oldest_and_newest(self, tags: Sequence[str], viewer: Viewer) -> dict[str, set[int]]:
        """See `Index.oldest_and_newest`; one request."""
        if not tags:
            return {}
        search = self._search(_posts_with_hashtags(_clause("terms", hashtags=[*tags]), viewer))[0:0]
        found = search.aggs.bucket("tags", "terms", field="hashtags", include=[*tags], size=len(tags))
        for order in ("asc", "desc"):  # `min` and `max` would round ids to floats
            found.metric(order, "top_hits", size=1, sort={"id": order}, _source=False)
        return {bucket["key"]: {_first(bucket["asc"]), _first(bucket["desc"])} for bucket in _buckets(search)}

    def similar_words(self, word: str) -> list[str]:
        """See `Index.similar_words`; one request."""
        search = self._search(_clause("match_none"))[0:0].suggest(
            "words",
            word,
            term={
                "field": "text",
                "max_edits": 1,
                "prefix_length": 1,
                "suggest_mode": "always",
                "sort": "frequency",
                "size": _SIMILAR_WORDS,
            },
        )
        answer = _answer(search)
        found = answer.get("suggest", {}).get("words", [])
        return [option["text"] for entry in found for option in entry["options"] if set(variants(option["text"]))]

    def versions(self, kind: str, *, after: int, up_to: int) -> dict[int, int]:
        """See `Index.versions`; makes what was written a moment ago searchable first."""
        found: dict[int, int] = {}
        with answering():
            client = elasticsearch().options(request_timeout=_COMPARISON_SECONDS)
            client.indices.refresh(index=self._read_from, ignore_unavailable=True)
            while True:
                bounds = {"gt": max([after, *found]), "lte": up_to}
                query = _clause("bool", filter=[_clause("term", kind=kind), _clause("range", id=bounds)])
                search = search_in(self._read_from, using=client).query(query).sort("id").source(["id", "version"])
                rows = [hit["_source"] for hit in search[0:_BATCH].execute().to_dict()["hits"]["hits"]]
                found.update((row["id"], row["version"]) for row in rows)
                if len(rows) < _BATCH:
                    return found

    def status(self) -> dict[str, object]:
        """See `Index.status`."""
        queries = {
            "posts": _clause("term", kind=Kind.POST),
            "users": _clause("term", kind=Kind.USER),
            "tombstones": _clause("term", deleted=True),
        }
        with answering():
            try:
                aliases = dict(elasticsearch().indices.get_alias(name=f"{read_alias()}*"))
            except NotFoundError:
                aliases = {}
            counts = {label: self._search(query).count() for label, query in queries.items()}
        indices = {name: sorted(found["aliases"]) for name, found in aliases.items()}
        return {"backend": self.name, **counts, "indices": indices}

    def _search(self, query: Query) -> "Search[Any]":
        return search_in(self._read_from).query(query)

    def _hits(self, query: Query, window: Window, fields: list[str]) -> list[list[Any]]:
        """The sort values of the hits in the window."""
        order = "asc" if window.backwards else "desc"
        body: Query = {
            "query": query,
            "sort": [{name: {"order": order}} for name in fields],
            "size": window.limit,
            "stored_fields": "_none_",  # or each hit's would be read and decompressed for its `_id`
            "track_total_hits": False,
            # Elasticsearch has its own timeout too: what nobody waits for any more should not be computed.
            "timeout": f"{settings.ELASTICSEARCH_SECONDS * 1000:.0f}ms",
        }
        if window.position is not None:
            body["search_after"] = list(window.position)
        with answering():
            answer = sorted_hits(self._read_from, body=body)
        return [hit["sort"] for hit in _whole(answer).get("hits", {}).get("hits", ())]


def _answer(search: "Search[Any]") -> dict[str, Any]:
    with answering():
        answer: dict[str, Any] = search.execute().to_dict()
    return _whole(answer)


def _whole(answer: dict[str, Any]) -> dict[str, Any]:
    """The hits; 503 for partial results, which Elasticsearch returns after a timeout or without a shard."""
    if answer.get("timed_out") or answer.get("_shards", {}).get("failed"):
        raise _unavailable()
    return answer


def _matching_posts(
    criteria: Criteria, authors: Authors, viewer: Viewer, *, should: list[Query] | None = None
) -> Query:
    """The matching posts that the viewer may see; `should` determines the score."""
    public = _clause("bool", filter=[_PUBLIC], must_not=[_PRIVATE_AUTHOR])
    conditions = [_POST, _any([public, *_among("author_id", viewer.circle)])]
    if criteria.root is not None:
        conditions.append(_post_condition(criteria.root, authors))
    unseen = [_INACTIVE_AUTHOR, *_among("author_id", viewer.hidden)]
    return _clause("bool", filter=conditions, must_not=unseen, should=should or [])


def _post_condition(node: Node, authors: Authors) -> Query:
    match node:
        case AllOf(nodes):
            return _all([_post_condition(part, authors) for part in nodes])
        case AnyOf(nodes):
            return _any([_post_condition(part, authors) for part in nodes])
        case Not(inner):
            return _clause("bool", must_not=[_post_condition(inner, authors)])
        case Phrase():
            expansion = expand(node)
            stems = [_clause("terms", stems=list(expansion.stems))] if expansion.stems else []
            return _any([*map(_phrase, expansion.phrases), *stems])
        case Tag(name):
            return _clause("term", hashtags=name)
        case From(usernames):
            return _clause("terms", author_id=[authors[name] for name in usernames if name in authors])
        case Written(since, until):
            bounds = {"gte": since, "lt": until}
            given = {name: moment.isoformat() for name, moment in bounds.items() if moment is not None}
            return _clause("range", created_at=given)
        case Has(what):
            return _clause("term", **{f"has_{what}": True})
        case Language(code):
            return _clause("term", language=code)
        case MinReactions(number):
            return _clause("range", reactions={"gte": number}) if number else _clause("match_all")


def _scores(phrase: Phrase) -> list[Query]:
    """Synonyms have a constant score: otherwise a rare one would rank above the typed word."""
    expansion = expand(phrase)
    others = [
        *map(_phrase, expansion.synonyms),
        *([_clause("terms", stems=list(expansion.stems))] if expansion.stems else []),
    ]
    return [_phrase(expansion.typed), *(_clause("constant_score", filter=other, boost=STEM_WEIGHT) for other in others)]


def _profile_condition(node: Node, *, names_only: bool) -> Query:
    match node:
        case AllOf(nodes):
            return _all([_profile_condition(part, names_only=names_only) for part in nodes])
        case AnyOf(nodes):
            return _any([_profile_condition(part, names_only=names_only) for part in nodes])
        case Not(Phrase(words)):
            # Negated terms match exactly, without forms and synonyms.
            said = [_clause("match_phrase", whole_names=" ".join(words)), _phrase(words)]
            return _clause("bool", must_not=said)
        case Not(inner):
            return _clause("bool", must_not=[_profile_condition(inner, names_only=names_only)])
        case Phrase(words):
            return _profile_phrase(words, names_only=names_only, nearly=True)
        case _:
            return _clause("match_none")  # only posts have it


def _profile_phrase(words: Words, *, names_only: bool, nearly: bool) -> Query:
    """Adjacent words, of which the last may be the beginning of one; if `nearly`, also in any order."""
    if len(words) == 1:
        return _profile_word(words[0], names_only=names_only, nearly=nearly)
    named = [_clause("match_phrase", names=" ".join(words)), _clause("match_phrase", whole_names=" ".join(words[:-1]))]
    choices = [_all(named)]
    choices += [] if names_only else [_phrase(words)]
    if nearly and any(map(variants, words)):
        choices.append(_all([_profile_word(word, names_only=names_only, nearly=True) for word in words]))
    return _any(choices)


def _profile_word(word: str, *, names_only: bool, nearly: bool) -> Query:
    choices = [_clause("match", names=word)]
    choices += [] if names_only else [_phrase((word,))]
    choices += [_clause("terms", variants=variants(word))] if nearly else []
    return _any(choices)


def _author(condition: Query) -> Query:
    """Posts whose author's profile meets the condition: a selective one, as the time grows with the matching
    profiles."""
    return _clause("has_parent", parent_type=Kind.USER, query=condition)


_PUBLIC = _clause("term", is_private=False)
_POST = _clause("term", kind=Kind.POST)
_INACTIVE_AUTHOR = _author(_clause("term", is_active=False))
_PRIVATE_AUTHOR = _author(_clause("term", is_private=True))


def _buckets(search: Search) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _answer(search).get("aggregations", {}).get("tags", {}).get("buckets", [])
    return found


def _first(top: dict[str, Any]) -> int:
    return int(top["hits"]["hits"][0]["sort"][0])


def _posts_with_hashtags(condition: Query, viewer: Viewer) -> Query:
    return _clause("bool", filter=[_public_posts(), condition], must_not=_among("author_id", viewer.hidden))


def _public_posts() -> Query:
    return _clause("bool", filter=[_POST, _PUBLIC], must_not=[_INACTIVE_AUTHOR, _PRIVATE_AUTHOR])


def _among(field: str, ids: list[int]) -> list[Query]:
    """The condition that a field is one of the ids; none without ids."""
    return [_clause("terms", **{field: ids[:_MAX_TERMS]})] if ids else []


def _all(clauses: list[Query]) -> Query:
    return clauses[0] if len(clauses) == 1 else _clause("bool", filter=clauses)


def _any(clauses: list[Query]) -> Query:
    return clauses[0] if len(clauses) == 1 else _clause("bool", should=clauses, minimum_should_match=1)


def _phrase(words: Words) -> Query:
    return _clause("match_phrase", text=" ".join(words))


def _ranks(criteria: Criteria, *, names_only: bool) -> list[Query]:
    """Constant scores, so that the order does not depend on the rest of the collection; what has none is `NEARLY`."""
    ranks: list[Query] = []
    if len(criteria.names) == 1:
        name = criteria.names[0]
        ranks.append(_clause("constant_score", filter=_clause("term", username=name), boost=EXACT_NAME))
        ranks.append(_clause("constant_score", filter=_clause("prefix", username=name), boost=BEGINNING_OF_NAME))
    if criteria.phrases:
        said = [_profile_phrase(phrase.words, names_only=names_only, nearly=False) for phrase in criteria.phrases]
        ranks.append(_clause("constant_score", filter=_all(said), boost=BY_WORDS))
    return ranks
