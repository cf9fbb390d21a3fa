"""Compares the index with the contexts that own its content: documents that are missing, outdated or left over."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from apps.search.models import Kind
from apps.search.queries import Index
from socialapp.contracts.posts import PostDocument, Posts
from socialapp.contracts.users import ProfileDocument, Users
from socialapp.core.ids import MAX_ID
from socialapp.rpc.calls import client

BATCH = 500
DELETED = "deleted"

Document = PostDocument | ProfileDocument


@dataclass(slots=True)
class IndexDrift:
    """Ids of one kind by kind of difference, and how many were compared."""

    kind: str
    compared: int = 0
    missing: list[int] = field(default_factory=list)
    outdated: list[int] = field(default_factory=list)
    left_over: list[int] = field(default_factory=list)

    @property
    def ids(self) -> list[int]:
        """All of them."""
        return [*self.missing, *self.outdated, *self.left_over]


def document_id(document: Document) -> int:
    """The id of a post, or of the person whose profile it is."""
    return document.id if isinstance(document, PostDocument) else document.card.id


def pages(kind: str, *, after: int = 0) -> Iterator[tuple[int, int, list[Document]]]:
    """The documents due in the index after `after`, as (after, up to, documents): the ranges leave no ids out."""
    fetch = _post_page if kind == Kind.POST else _profile_page
    while True:
        found = fetch(after)
        up_to = document_id(found[-1]) if len(found) >= BATCH else MAX_ID
        yield after, up_to, [document for document in found if not is_deleted(document)]
        if up_to == MAX_ID:
            return
        after = up_to


def present(*, kind: str, ids: list[int]) -> list[Document]:
    """The present documents of these ids; deleted ones are omitted."""
    found: list[Document] = (
        [*client(Posts).documents(post_ids=ids)] if kind == Kind.POST else [*client(Users).documents(ids=ids)]
    )
    return [document for document in found if not is_deleted(document)]


def is_deleted(document: Document) -> bool:
    """Whether it is a profile whose account was deleted."""
    return isinstance(document, ProfileDocument) and document.status == DELETED


def differences_behind(*, index: Index, kind: str, after: int) -> tuple[IndexDrift, int | None]:
    """The differences in one page of ids after `after`, confirmed by a second look, and the next id (None: the end)."""
    start, up_to, documents = next(pages(kind, after=after))
    indexed = index.versions(kind, after=start, up_to=up_to)
    wanted = {document_id(document): document.version for document in documents}
    drift = IndexDrift(kind, compared=len(wanted))
    suspected = [key for key in wanted.keys() | indexed.keys() if wanted.get(key) != indexed.get(key)]
    _look_again(index, drift, sorted(suspected))
    return drift, None if up_to == MAX_ID else up_to


def differences(*, index: Index, kind: str, advance: Callable[[int], object] = lambda _: None) -> IndexDrift:
    """The confirmed differences: looked at a second time, as documents may change during the first look."""
    suspected: list[int] = []
    drift = IndexDrift(kind)
    for after, up_to, documents in pages(kind):
        indexed = index.versions(kind, after=after, up_to=up_to)
        wanted = {document_id(document): document.version for document in documents}
        suspected += [key for key in wanted.keys() | indexed.keys() if wanted.get(key) != indexed.get(key)]
        drift.compared += len(wanted)
        advance(len(wanted))
    for start in range(0, len(suspected), BATCH):
        _look_again(index, drift, sorted(suspected)[start : start + BATCH])
    return drift


def _look_again(index: Index, drift: IndexDrift, ids: list[int]) -> None:
    wanted = {document_id(document): document.version for document in present(kind=drift.kind, ids=ids)}
    indexed = {key: version for key in ids for version in index.versions(drift.kind, after=key - 1, up_to=key).values()}
    for key in ids:
        if key in wanted and key not in indexed:
            drift.missing.append(key)
        elif key in indexed and key not in wanted:
            drift.left_over.append(key)
        elif wanted.get(key) != indexed.get(key):
            drift.outdated.append(key)


def _post_page(after: int) -> list[Document]:
    return [*client(Posts).document_page(after=after, limit=BATCH)]


def _profile_page(after: int) -> list[Document]:
    return [*client(Users).document_page(after=after, limit=BATCH)]
