"""Writes the index in Elasticsearch: versions are the rows' own, so an older write or a repeated one changes nothing.

Every write goes to all indices that carry the write alias, which is asked for each time: during a rebuild that is the
old one and the new one. A row's version counts up from 1; a tombstone has the highest version there is.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from elasticsearch import BadRequestError, NotFoundError

from apps.search.models import FINAL, Kind
from apps.search.models.documents import Entry
from apps.search.queries.elastic import answering, elasticsearch, entry_id, read_alias, write_alias
from apps.search.queries.language import fold_tag, folded
from socialapp.contracts.posts import PostDocument
from socialapp.contracts.users import ProfileDocument
from socialapp.core.ids import new_id

_ACTIVE = "active"
_WRITE_SECONDS = 5.0
_SWEEP_SECONDS = 30.0
_SWEEP = 5000

Operation = dict[str, Any]


class IndexWriteFailed(Exception):
    """Elasticsearch refused a document for another reason than that it has a newer one."""


class ElasticWriter:
    """See `IndexWriter`. `only` writes to one index instead of all: for copying into a new one."""

    def __init__(self, only: str = "") -> None:
        self._only = only

    def write_posts(self, documents: list[PostDocument]) -> None:
        """See `IndexWriter.write_posts`."""
        targets = self._targets()
        erased = _erased(targets[0], {document.author_id for document in documents})
        operations: list[Operation] = []
        for one in documents:
            if one.author_id in erased:
                operations += _operation(Kind.POST, one.id, one.author_id, FINAL, _tombstone())
            else:
                operations += _operation(Kind.POST, one.id, one.author_id, one.version, _post_entry(one))
        self._write(operations, targets)

    def write_profiles(self, documents: list[ProfileDocument]) -> None:
        """See `IndexWriter.write_profiles`."""
        operations: list[Operation] = []
        for one in documents:
            operations += _operation(Kind.USER, one.card.id, one.card.id, one.version, _profile_entry(one))
        self._write(operations, self._targets())

    def bury(self, kind: str, doc_id: int, *, author_id: int, version: int = FINAL) -> None:
        """See `IndexWriter.bury`."""
        self._write(_operation(kind, doc_id, author_id, version, _tombstone()), self._targets())

    def discard(self, kind: str, ids: list[int]) -> None:
        """See `IndexWriter.discard`."""
        query = {"bool": {"filter": [{"term": {"kind": kind}}, {"terms": {"id": ids}}]}}
        for target in self._targets() if ids else []:
            with answering():
                elasticsearch().options(request_timeout=_SWEEP_SECONDS).delete_by_query(
                    index=target, query=query, conflicts="proceed", refresh=True
                )

    def erase_author(self, user_id: int) -> None:
        """See `IndexWriter.erase_author`; raises when posts are left, so that the bus tries again."""
        self.bury(Kind.USER, user_id, author_id=user_id)
        client = elasticsearch().options(request_timeout=_SWEEP_SECONDS)
        query = {"bool": {"filter": [{"term": {"author_id": user_id}}]}}
        for target in self._targets():
            with answering():
                client.indices.refresh(index=target)
                answer: dict[str, Any] = {"deleted": _SWEEP}
                while answer["deleted"] >= _SWEEP:
                    answer = client.delete_by_query(
                        index=target, query=query, conflicts="proceed", refresh=True, max_docs=_SWEEP
                    ).body
                if client.count(index=target, query=query)["count"]:
                    raise IndexWriteFailed("posts of the erased author were written meanwhile")

    def forget_tombstones(self, *, older_than: timedelta) -> int:
        """See `IndexWriter.forget_tombstones`; a part of them when there are very many."""
        query = {"range": {"deleted_at": {"lt": (datetime.now(UTC) - older_than).isoformat()}}}
        client = elasticsearch().options(request_timeout=_SWEEP_SECONDS)
        with answering():
            answers = [
                client.delete_by_query(index=target, query=query, conflicts="proceed", max_docs=_SWEEP)
                for target in self._targets()
            ]
        return sum(int(answer["deleted"]) for answer in answers)

    def _targets(self) -> list[str]:
        return [self._only] if self._only else write_targets()

    def _write(self, operations: list[Operation], targets: list[str]) -> None:
        if not operations:
            return
        for target in targets:
            with answering():
                # By an alias of its own: a bulk write to the name of an index that is gone would make it anew.
                answer = (
                    elasticsearch()
                    .options(request_timeout=_WRITE_SECONDS)
                    .bulk(index=own_alias(target), operations=operations, require_alias=True)
                )
            failed = [
                item["index"]["error"] for item in answer["items"] if item["index"]["status"] not in (200, 201, 409)
            ]
            if failed:
                raise IndexWriteFailed(f"{len(failed)} of {len(answer['items'])} documents: {failed[0]}")


def write_targets() -> list[str]:
    """The indices that are written to; makes the first one where there is none."""
    with answering():
        try:
            found = elasticsearch().indices.get_alias(name=write_alias())
        except NotFoundError:
            return [_first_index()]
    return sorted(found)


def own_alias(name: str) -> str:
    """The alias through which one index is written."""
    return f"{name}-only"


def make_index(name: str, *, aliases: Iterable[str]) -> None:
    """An empty index; BadRequestError when there is one of that name."""
    definition = Entry._index.to_dict()
    elasticsearch().options(request_timeout=_SWEEP_SECONDS).indices.create(
        index=name,
        settings=definition["settings"],
        mappings={**definition["mappings"], "dynamic": "strict"},
        aliases={alias: {} for alias in (*aliases, own_alias(name))},
    )


def _first_index() -> str:
    name = f"{read_alias()}-1"
    try:
        make_index(name, aliases=[read_alias(), write_alias()])
    except BadRequestError as error:
        # Another process was faster.
        if error.error != "resource_already_exists_exception":
            raise
    return name


def start_rebuild() -> str:
    """Makes a new index that is written to from now on, but not read; its name."""
    write_targets()
    name = f"{read_alias()}-{new_id()}"
    with answering():
        make_index(name, aliases=[write_alias()])
    return name


def copy_tombstones(target: str, *, newer_than: timedelta) -> None:
    """Takes the newer tombstones of the present index over into the new one."""
    client = elasticsearch().options(request_timeout=_SWEEP_SECONDS)
    since = (datetime.now(UTC) - newer_than).isoformat()
    with answering():
        client.indices.refresh(index=read_alias())
        client.reindex(
            source={"index": read_alias(), "query": {"range": {"deleted_at": {"gte": since}}}},
            dest={"index": target, "version_type": "external"},
            conflicts="proceed",
        )


def finish_rebuild(target: str) -> None:
    """Reads from the new index from now on, and removes all others, in one step."""
    with answering():
        others = [name for name in write_targets() if name != target]
        elasticsearch().options(request_timeout=_SWEEP_SECONDS).indices.update_aliases(
            actions=[
                {"add": {"index": target, "alias": read_alias()}},
                *({"remove_index": {"index": name}} for name in others),
            ]
        )


def abandon_rebuild(target: str) -> None:
    """Removes a new index that did not come out right."""
    with answering():
        elasticsearch().options(request_timeout=_SWEEP_SECONDS).indices.delete(index=target, ignore_unavailable=True)


def _erased(target: str, author_ids: set[int]) -> set[int]:
    """Those of the authors who have a tombstone, as of this moment (reads by key see unrefreshed writes)."""
    if not author_ids:
        return set()
    wanted = [{"_id": entry_id(Kind.USER, one), "routing": str(one), "_source": ["deleted"]} for one in author_ids]
    with answering():
        client = elasticsearch().options(request_timeout=_WRITE_SECONDS)
        answer = client.mget(index=target, docs=wanted)
    buried = {hit["_id"] for hit in answer["docs"] if hit.get("found") and hit["_source"].get("deleted")}
    return {one for one in author_ids if entry_id(Kind.USER, one) in buried}


def _operation(kind: str, doc_id: int, routing: int, version: int, entry: Operation) -> list[Operation]:
    head = {
        "_id": entry_id(kind, doc_id),
        "routing": str(routing),
        "version": version,
        "version_type": "external_gte",
    }
    return [{"index": head}, entry]


def _tombstone() -> Operation:
    return {"deleted": True, "deleted_at": datetime.now(UTC).isoformat()}


def _post_entry(document: PostDocument) -> Operation:
    return {
        "kind": str(Kind.POST),
        "id": document.id,
        "version": document.version,
        "relation": {"name": str(Kind.POST), "parent": entry_id(Kind.USER, document.author_id)},
        "author_id": document.author_id,
        "is_private": document.is_private,
        "has_media": document.has_media,
        "created_at": document.created_at.isoformat(),
        "hashtags": sorted(set(map(fold_tag, document.hashtags))),
        "text": folded(document.content),
    }


def _profile_entry(document: ProfileDocument) -> Operation:
    """The profile; only its state when it is not active, so that nothing of it can be found."""
    active = document.status == _ACTIVE
    card = document.card
    texts = {
        "username": card.username.lower(),
        "names": folded(f"{card.username} {card.full_name}"),
        "text": folded(document.bio),
    }
    return {
        "kind": str(Kind.USER),
        "id": card.id,
        "version": document.version,
        "relation": str(Kind.USER),
        "is_active": active,
        "is_private": document.is_private,
        "followers_count": document.followers_count,
        "created_at": document.created_at.isoformat(),
        **(texts if active else {}),
    }
