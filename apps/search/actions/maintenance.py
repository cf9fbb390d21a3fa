"""Rebuilds the index from the contexts that own its content, while searches and writes continue."""

from collections.abc import Callable
from datetime import timedelta
from typing import cast

from django.conf import settings

from apps.search.access import Document, IndexDrift, differences, differences_behind, document_id, pages, present
from apps.search.actions.backend import writer
from apps.search.actions.index import IndexWriter
from apps.search.models import Kind
from apps.search.queries import Index, reader
from socialapp.contracts.drift import Drift
from socialapp.contracts.posts import PostDocument
from socialapp.contracts.users import ProfileDocument
from socialapp.core.db import transactional
from socialapp.lifecycle.drift import Compared, events_in_flight

_BATCH = 500
# A rebuild trusts the databases, which may have been restored from a backup: it keeps only tombstones that a handler
# in progress may need.
_UNDER_WAY = timedelta(hours=1)

Advance = Callable[[int], object]


class RebuildFailed(Exception):
    """The new index failed the comparison; the present one was left as it is."""


def rebuild_index(*, advance: Advance = lambda _: None) -> list[IndexDrift]:
    """Rebuilds the index and returns the result of the final comparison; RebuildFailed if it found differences.

    Elasticsearch: a new index behind the alias, swapped in once complete. SQLite: every row is rewritten in place.
    `advance(n)` is called after every n documents.
    """
    if settings.ELASTICSEARCH_URL:
        return _rebuild_elasticsearch(advance)
    forget_tombstones(older_than=_UNDER_WAY)
    _write_everything(writer(), advance)
    return _settle(reader(), writer())


def check_index(*, kind: str, after: int, limit: int, repair: bool) -> Compared:
    """Compares the next page of one kind with its owning contexts, and rewrites differing documents if `repair`.

    A page is as large as those contexts return it, whatever the limit.
    """
    drift, next_id = differences_behind(index=reader(), kind=kind, after=after)
    in_flight = events_in_flight(("auth", "users", "posts", "search")) if drift.ids else set()
    found = [key for key in drift.ids if key not in in_flight]
    if repair and found:
        _repair(writer(), kind, found)
    states = {"missing": drift.missing, "outdated": drift.outdated, "left over": drift.left_over}
    drifts = [
        Drift(projection=f"index of {kind}s", id=key, held=state, actual="gone" if key in drift.left_over else "there")
        for state, ids in states.items()
        for key in ids
        if key not in in_flight
    ]
    left_out = len(drift.ids) - len(found)
    return Compared(compared=drift.compared - left_out, in_flight=left_out, drifts=drifts, next_id=next_id)


@transactional("search")
def forget_tombstones(*, older_than: timedelta) -> int:
    """Deletes tombstones that no late event can need any more; returns how many."""
    return writer().forget_tombstones(older_than=older_than)


def _rebuild_elasticsearch(advance: Advance) -> list[IndexDrift]:
    from apps.search.actions import elastic
    from apps.search.queries.elastic import ElasticIndex

    target = elastic.start_rebuild()
    try:
        elastic.copy_tombstones(target, newer_than=_UNDER_WAY)
        _write_everything(elastic.ElasticWriter(only=target), advance)
        compared = _settle(ElasticIndex(read_from=target), elastic.ElasticWriter(only=target))
    except BaseException:
        elastic.abandon_rebuild(target)
        raise
    elastic.finish_rebuild(target)
    return compared


def _write_everything(to: IndexWriter, advance: Advance) -> None:
    # Profiles first: posts are found through their authors.
    for kind in (Kind.USER, Kind.POST):
        for _, _, documents in pages(kind):
            _write(to, kind, documents)
            advance(len(documents))


def _settle(at: Index, to: IndexWriter) -> list[IndexDrift]:
    """Compares, repairs differences once, and compares again."""
    for drift in (differences(index=at, kind=kind) for kind in (Kind.USER, Kind.POST)):
        for start in range(0, len(drift.ids), _BATCH):
            _repair(to, drift.kind, drift.ids[start : start + _BATCH])
    compared = [differences(index=at, kind=kind) for kind in (Kind.USER, Kind.POST)]
    if wrong := {drift.kind: drift.ids for drift in compared if drift.ids}:
        raise RebuildFailed(f"differences remain: {wrong}")
    return compared


def _repair(to: IndexWriter, kind: str, ids: list[int]) -> None:
    _replace(to, kind, ids, present(kind=kind, ids=ids))


@transactional("search")
def _replace(to: IndexWriter, kind: str, ids: list[int], documents: list[Document]) -> None:
    _write(to, kind, documents)
    to.discard(kind, sorted(set(ids) - {document_id(document) for document in documents}))


@transactional("search")
def _write(to: IndexWriter, kind: str, documents: list[Document]) -> None:
    if kind == Kind.POST:
        to.write_posts(cast(list[PostDocument], documents))
    else:
        to.write_profiles(cast(list[ProfileDocument], documents))
