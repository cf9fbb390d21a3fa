"""The Elasticsearch index as a django-elasticsearch-dsl document: mapping, bulk writes and queries.

Profiles are the parents of their posts, so that privacy changes and bans of accounts apply to posts without
rewriting them, and every document has only one version.

Text is indexed folded and stemmed (see core/text/folding.py and queries/languages.py), so that both back ends give the
same results: the analyzers only split it.

The document is not registered for a model: its content comes from other contexts, never from a table of this one.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import msgspec
import orjson
from django.conf import settings
from django_elasticsearch_dsl.documents import Document
from elastic_transport import SerializationError, Urllib3HttpNode
from elasticsearch import ApiError, Elasticsearch
from elasticsearch.dsl import Boolean, Date, Join, Keyword, Long, MetaField, Search, Text, analyzer, token_filter

from apps.search.models.connection import ThreadNode
from socialapp.telemetry import traces

_LONGEST_PREFIX = 30
_WRITE_SECONDS = 5.0
_MANY_SECONDS = 60.0
_SEARCH = "/_search?ignore_unavailable=true&filter_path=timed_out,_shards.failed,hits.hits.sort"
_HEADERS = {"accept": "application/json", "content-type": "application/json"}

_words = analyzer("folded_words", tokenizer="whitespace")
_beginnings = analyzer(
    "folded_beginnings",
    tokenizer="whitespace",
    filter=[token_filter("beginnings", type="edge_ngram", min_gram=1, max_gram=_LONGEST_PREFIX)],
)
_typed = analyzer(
    "folded_typed",
    tokenizer="whitespace",
    filter=[token_filter("typed_length", type="truncate", length=_LONGEST_PREFIX)],
)

_clients: dict[tuple[int, str, float], Elasticsearch] = {}


def elasticsearch() -> Elasticsearch:
    """The client of this process: short timeouts and no retries, as only searches depend on it."""
    url, seconds = settings.ELASTICSEARCH_URL, settings.ELASTICSEARCH_SECONDS
    key = (os.getpid(), url, seconds)
    if key not in _clients:
        _clients[key] = Elasticsearch(
            url,
            request_timeout=seconds,
            max_retries=0,
            retry_on_timeout=False,
            meta_header=False,  # would send the versions of Python and the client with each request
            node_class=ThreadNode if url.startswith("http://") else Urllib3HttpNode,
        )
    return _clients[key]


@dataclass(frozen=True, slots=True)
class Versioned:
    """A document to be written with its row's version; Elasticsearch refuses it if it has a newer one."""

    id: str
    routing: str
    version: int
    source: dict[str, Any]


class Entry(Document):
    """A post, a profile, or a tombstone (`deleted`, with nothing else but the time)."""

    django = SimpleNamespace(model=None, auto_refresh=False, queryset_pagination=None)

    kind = Keyword()
    id = Long()
    version = Long()
    relation = Join(relations={"user": "post"})
    deleted = Boolean()
    deleted_at = Date()
    author_id = Long()
    is_private = Boolean()
    is_active = Boolean()
    has_media = Boolean()
    has_link = Boolean()
    has_cw = Boolean()
    language = Keyword()
    reactions = Long()
    engagement = Long()
    created_at = Date()
    followers_count = Long()
    username = Keyword()
    hashtags = Keyword()
    names = Text(analyzer=_beginnings, search_analyzer=_typed)
    whole_names = Text(analyzer=_words)
    variants = Keyword()
    text = Text(analyzer=_words)
    stems = Keyword()

    class Index:
        """A replica is allocated once there is a second node for it.

        Sorted by descending id: a search for the newest stops at the first hits of a segment. Otherwise it would look
        at all of them, as documents arrive oldest first and each is newer than those before it.
        """

        name = "search"
        settings = {
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
            "sort.field": "id",
            "sort.order": "desc",
        }

    class Meta:
        """Fields that are not listed here are errors."""

        dynamic = MetaField("strict")

    def prepare(self, instance: Versioned) -> dict[str, Any]:
        """The fields to be written."""
        return instance.source

    def _prepare_action(self, object_instance: Versioned, action: str) -> dict[str, Any]:
        return {
            "_op_type": action,
            "_id": object_instance.id,
            "routing": object_instance.routing,
            "version": object_instance.version,
            "version_type": "external_gte",
            "_source": self.prepare(object_instance),
        }

    @classmethod
    def _get_connection(cls, using: str | Elasticsearch | None = None) -> Elasticsearch:
        return elasticsearch().options(request_timeout=_WRITE_SECONDS)


def search_in(index: str, *, using: Elasticsearch | None = None) -> "Search[Any]":
    """A query to an index or alias."""
    search: Search[Any] = Entry.search(using=using or elasticsearch(), index=index)  # type: ignore[no-untyped-call]
    return search.params(ignore_unavailable=True)


def sorted_hits(index: str, *, body: dict[str, Any]) -> dict[str, Any]:
    """The response to a search, reduced to the sort values of its hits; TransportError or ApiError otherwise.

    Sent by the node alone: the client and its transport take two thirds as long again.
    """
    node = elasticsearch().transport.node_pool.get()
    with traces.span("search", kind=traces.Kind.CLIENT):
        meta, content = node.perform_request(
            "POST",
            f"/{index}{_SEARCH}",
            body=orjson.dumps(body),
            headers=_HEADERS,  # type: ignore[arg-type]
            request_timeout=settings.ELASTICSEARCH_SECONDS,
        )
    if meta.status >= 300:
        raise ApiError(f"status {meta.status}", meta=meta, body=content)
    try:
        answer: dict[str, Any] = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise SerializationError("not JSON", errors=(error,)) from error
    return answer


def write_new_entries(entries: list[Versioned], *, alias: str) -> list[dict[str, Any]]:
    """Writes many documents that do not exist yet, through an alias; returns the refusals."""
    lines: list[Any] = []
    for entry in entries:
        action = {"_id": entry.id, "routing": entry.routing, "version": entry.version, "version_type": "external_gte"}
        lines += [msgspec.json.encode({"index": action}), msgspec.json.encode(entry.source)]
    answer = (
        elasticsearch()
        .options(request_timeout=_MANY_SECONDS)
        .bulk(index=alias, operations=lines, require_alias=True, filter_path="errors,items.*.error")
    )
    return [item["index"]["error"] for item in answer.get("items", [])]


def write_entries(entries: list[Versioned], *, alias: str) -> Iterator[dict[str, Any]]:
    """Writes documents through an alias; yields refusals other than for a newer version."""
    document = Entry()  # type: ignore[no-untyped-call]
    _, refused = document.update(entries, index=alias, require_alias=True, raise_on_error=False)  # type: ignore[no-untyped-call]
    yield from (item["index"] for item in refused if item["index"]["status"] != 409)
