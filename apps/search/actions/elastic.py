"""Writes the index in Elasticsearch: versions are the rows' own, so older or repeated writes change nothing.

Every write goes to all indices with the write alias, which is looked up each time: during a rebuild these are the old
and the new one. A row's version counts up from 1; a tombstone has the highest possible version.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from elasticsearch import BadRequestError, NotFoundError

from apps.search.actions.index import NewPost
from apps.search.models import FINAL, Kind
from apps.search.models.documents import Entry, Versioned, elasticsearch, search_in, write_entries, write_new_entries
from apps.search.queries import EngagementCount, PostEntry, ProfileEntry
from apps.search.queries.elastic import answering, entry_id, read_alias, write_alias
from socialapp.contracts.posts import PostDocument
from socialapp.contracts.users import ProfileDocument
from socialapp.core.ids import new_id

_ACTIVE = "active"
_HIDES_POSTS = {"relation": str(Kind.USER), "is_active": False}
_READ_SECONDS = 5.0
_SWEEP_SECONDS = 30.0
_SWEEP = 5000

Source = dict[str, Any]

_mapped: set[str] = set()  # the indices in which all fields are known to be mapped


class IndexWriteFailed(Exception):
    """Elasticsearch refused a document, and not because it has a newer one."""


class ElasticWriter:
    """See `IndexWriter`. `only` writes to one index instead of all: for copying into a new one."""

    def __init__(self, only: str = "") -> None:
        self._only = only

    def write_posts(self, documents: list[PostDocument]) -> None:
        """See `IndexWriter.write_posts`."""
        targets = self._targets()
        held = _held(targets[0], documents)
        entries: list[Versioned] = []
        unknown = {one.author_id for one in documents if _key_of_author(one) not in held}
        entries += [_unknown_author(user_id) for user_id in sorted(unknown)]
        for one in documents:
            if held.get(_key_of_author(one), {}).get("deleted"):
                entries.append(_versioned_tombstone(Kind.POST, one.id, author_id=one.author_id))
            else:
                counted = held.get(entry_id(kind=Kind.POST, doc_id=one.id), {})
                numbers = {name: counted.get(name, 0) for name in ("reactions", "engagement")}
                entries.append(_versioned_post(one, PostEntry.of(one), **numbers))
        self._write(entries, targets)

    def write_new_posts(self, posts: list[NewPost]) -> None:
        """See `IndexWriter.write_new_posts`."""
        self._write_new(
            [
                _versioned_post(
                    post.document,
                    post.entry,
                    reactions=post.engagement.reactions,
                    engagement=post.engagement.engagement,
                )
                for post in posts
            ]
        )

    def write_new_profiles(self, documents: list[ProfileDocument]) -> None:
        """See `IndexWriter.write_new_profiles`."""
        self._write_new(list(map(_versioned_profile, documents)))

    def _write_new(self, entries: list[Versioned]) -> None:
        for target in self._targets():
            with answering():
                failed = write_new_entries(entries, alias=own_alias(target))
            if failed:
                raise IndexWriteFailed(f"{len(failed)} of {len(entries)} documents: {failed[0]}")

    def write_profiles(self, documents: list[ProfileDocument]) -> None:
        """See `IndexWriter.write_profiles`."""
        self._write(list(map(_versioned_profile, documents)), self._targets())

    def set_engagement(self, counts: list[EngagementCount]) -> None:
        """See `IndexWriter.set_engagement`: the document as it is, with these numbers, in the version that it has.

        A newer version that is written in between stays, without the numbers, until they change again.
        """
        numbers = {entry_id(kind=Kind.POST, doc_id=count.post_id): count for count in counts}
        for target in self._targets() if counts else []:
            with answering():
                answer = (
                    search_in(target, using=elasticsearch().options(request_timeout=_READ_SECONDS))
                    .query("terms", _id=list(numbers))
                    .extra(version=True)[0 : len(numbers)]
                    .execute()
                )
            entries = [
                Versioned(
                    id=hit["_id"],
                    routing=hit["_routing"],
                    version=hit["_version"],
                    source={
                        **hit["_source"],
                        "reactions": numbers[hit["_id"]].reactions,
                        "engagement": numbers[hit["_id"]].engagement,
                    },
                )
                for hit in answer.to_dict()["hits"]["hits"]
                if not hit["_source"].get("deleted")
            ]
            self._write(entries, [target])

    def write_tombstone(self, kind: str, doc_id: int, *, author_id: int, version: int = FINAL) -> None:
        """See `IndexWriter.write_tombstone`."""
        self._write([_versioned_tombstone(kind, doc_id, author_id=author_id, version=version)], self._targets())

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
        self.write_tombstone(Kind.USER, user_id, author_id=user_id)
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

    def _write(self, entries: list[Versioned], targets: list[str]) -> None:
        for target in targets if entries else []:
            with answering():
                # By an alias of its own: a bulk write to the name of a deleted index would create it again.
                failed = [item["error"] for item in write_entries(entries, alias=own_alias(target))]
            if failed:
                raise IndexWriteFailed(f"{len(failed)} of {len(entries)} documents: {failed[0]}")


def write_targets() -> list[str]:
    """The indices to write to; creates the first one if there is none."""
    with answering():
        try:
            found = elasticsearch().indices.get_alias(name=write_alias())
        except NotFoundError:
            return [_first_index()]
        for name in found.keys() - _mapped:
            _add_fields(name)
    return sorted(found)


def _add_fields(name: str) -> None:
    """Adds missing fields to an index of an earlier release, as it refuses unknown ones."""
    properties = Entry._index.to_dict()["mappings"]["properties"]
    elasticsearch().options(request_timeout=_SWEEP_SECONDS).indices.put_mapping(index=name, properties=properties)
    _mapped.add(name)


def own_alias(name: str) -> str:
    """The alias through which one index is written."""
    return f"{name}-only"


def make_index(name: str, *, aliases: Iterable[str]) -> None:
    """Creates an empty index; BadRequestError if there is one of that name."""
    definition = Entry._index.to_dict()
    elasticsearch().options(request_timeout=_SWEEP_SECONDS).indices.create(
        index=name,
        settings=definition["settings"],
        mappings={**definition["mappings"], "dynamic": "strict"},
        aliases={alias: {} for alias in (*aliases, own_alias(name))},
    )


def _first_index() -> str:
    """The aliases follow once its shard can be searched: before that, a search would find no index."""
    name = f"{read_alias()}-1"
    try:
        make_index(name, aliases=[])
    except BadRequestError as error:
        # Another process has created it, or one has died before it set the aliases.
        if error.error != "resource_already_exists_exception":
            raise
    adding = [{"add": {"index": name, "alias": alias}} for alias in (read_alias(), write_alias())]
    elasticsearch().options(request_timeout=_SWEEP_SECONDS).indices.update_aliases(actions=adding)
    return name


def start_rebuild() -> str:
    """Creates a new index that is written to from now on, but not read; returns its name."""
    write_targets()
    name = f"{read_alias()}-{new_id()}"
    with answering():
        make_index(name, aliases=[write_alias()])
    return name


def copy_tombstones(target: str, *, newer_than: timedelta) -> None:
    """Copies the newer tombstones of the present index to the new one."""
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
    """Switches reading to the new index, and removes all others, atomically."""
    with answering():
        others = [name for name in write_targets() if name != target]
        elasticsearch().options(request_timeout=_SWEEP_SECONDS).indices.update_aliases(
            actions=[
                {"add": {"index": target, "alias": read_alias()}},
                *({"remove_index": {"index": name}} for name in others),
            ]
        )


def abandon_rebuild(target: str) -> None:
    """Deletes a new index that failed verification."""
    with answering():
        elasticsearch().options(request_timeout=_SWEEP_SECONDS).indices.delete(index=target, ignore_unavailable=True)


def _held(target: str, documents: list[PostDocument]) -> dict[str, Source]:
    """The versions of these posts and their authors in the index now (reads by key see unrefreshed writes)."""
    keys = {(_key_of_author(one), str(one.author_id)) for one in documents}
    keys |= {(entry_id(kind=Kind.POST, doc_id=one.id), str(one.author_id)) for one in documents}
    if not keys:
        return {}
    wanted = [
        {"_id": key, "routing": routing, "_source": ["deleted", "reactions", "engagement"]}
        for key, routing in sorted(keys)
    ]
    with answering():
        answer = elasticsearch().options(request_timeout=_READ_SECONDS).mget(index=target, docs=wanted)
    return {hit["_id"]: hit["_source"] for hit in answer["docs"] if hit.get("found")}


def _key_of_author(document: PostDocument) -> str:
    return entry_id(kind=Kind.USER, doc_id=document.author_id)


def _versioned(kind: str, doc_id: int, routing: int, version: int, source: Source) -> Versioned:
    return Versioned(id=entry_id(kind=kind, doc_id=doc_id), routing=str(routing), version=version, source=source)


def _versioned_tombstone(kind: str, doc_id: int, *, author_id: int, version: int = FINAL) -> Versioned:
    source: Source = {"deleted": True, "deleted_at": datetime.now(UTC).isoformat()}
    if kind == Kind.USER:
        source |= _HIDES_POSTS
    return _versioned(kind, doc_id, author_id, version, source)


def _unknown_author(user_id: int) -> Versioned:
    """Hides the posts of somebody whose profile has not arrived; every version of the profile replaces it."""
    source = {"kind": str(Kind.USER), "id": user_id, "version": 0, **_HIDES_POSTS}
    return _versioned(Kind.USER, user_id, user_id, 0, source)


def _versioned_post(document: PostDocument, entry: PostEntry, *, reactions: int, engagement: int) -> Versioned:
    source = {**_post_source(document, entry), "reactions": reactions, "engagement": engagement}
    return _versioned(Kind.POST, document.id, document.author_id, document.version, source)


def _versioned_profile(document: ProfileDocument) -> Versioned:
    user_id = document.card.id
    return _versioned(Kind.USER, user_id, user_id, document.version, _profile_source(document))


def _post_source(document: PostDocument, entry: PostEntry) -> Source:
    """The post. Private ones omit `is_private`, or each search for private profiles would iterate over all of them."""
    public = {} if document.is_private else {"is_private": False}
    return {
        **public,
        "kind": str(Kind.POST),
        "id": document.id,
        "version": document.version,
        "relation": {"name": str(Kind.POST), "parent": entry_id(kind=Kind.USER, doc_id=document.author_id)},
        "author_id": document.author_id,
        "has_media": document.has_media,
        "has_link": entry.has_link,
        "has_cw": entry.has_cw,
        "language": entry.language,
        "created_at": document.created_at.isoformat(),
        "hashtags": entry.hashtags,
        "text": entry.text,
        "stems": entry.stems,
    }


def _profile_source(document: ProfileDocument) -> Source:
    """The profile; only its state if it is not active, so that nothing of it can be found."""
    active = document.status == _ACTIVE
    card = document.card
    entry = ProfileEntry.of(document)
    texts = {
        "username": card.username.lower(),
        "names": entry.names,
        "whole_names": entry.names,
        "variants": entry.variants,
        "text": entry.bio,
    }
    return {
        "kind": str(Kind.USER),
        "id": card.id,
        "version": document.version,
        "relation": str(Kind.USER),
        "is_active": active,
        "is_private": document.is_private or document.silenced,
        "followers_count": document.followers_count,
        "created_at": document.created_at.isoformat(),
        **(texts if active else {}),
    }
