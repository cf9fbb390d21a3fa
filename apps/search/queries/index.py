"""The interface that both back ends answer: ids in, ids out, already cut down to what an audience may see.

What they answer is a promise of the index, which may lag behind; whoever shows it checks again (see `pages`).
"""

from dataclasses import dataclass
from typing import Protocol

from django.conf import settings

from apps.search.queries.language import Criteria


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is searching: whom they follow (accepted), and everyone they block or who blocks them."""

    id: int | None
    following: list[int]
    hidden: list[int]

    @property
    def circle(self) -> list[int]:
        """Those whose private posts the viewer may see: whom they follow, and themselves."""
        return self.following if self.id is None else [self.id, *self.following]


@dataclass(frozen=True, slots=True)
class Authors:
    """What `from:` and `-from:` stand for; `only` None: everybody."""

    only: list[int] | None
    without: list[int]


@dataclass(frozen=True, slots=True)
class Window:
    """Up to `limit` hits after `position` in the list's order, or before it, nearest first, when `backwards`."""

    limit: int
    position: tuple[int | str, ...] | None = None
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found, and its place in the order of the list."""

    id: int
    position: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class TagCount:
    """A hashtag and the number of public posts that carry it."""

    tag: str
    posts_count: int


class Index(Protocol):
    """What can be asked of a back end. All raise Unavailable when it does not answer."""

    name: str

    def posts(self, criteria: Criteria, authors: Authors, viewer: Viewer, window: Window) -> list[Hit]:
        """Posts, newest first; the position is (id,)."""
        ...

    def profiles(self, criteria: Criteria, viewer: Viewer, window: Window, *, names_only: bool = False) -> list[Hit]:
        """People whose names begin with the words or (unless `names_only`) whose bio has them.

        The position is (rank, followers, id), all falling: rank 2 is the very user name, 1 its beginning.
        """
        ...

    def hashtags(self, prefixes: list[str], viewer: Viewer, *, limit: int) -> list[TagCount]:
        """Hashtags that begin with one of the prefixes, most used first, then by name; public posts count."""
        ...

    def versions(self, kind: str, *, after: int, up_to: int) -> dict[int, int]:
        """Id → version of everything of `kind` in the index with after < id <= up_to, as of now."""
        ...

    def status(self) -> dict[str, object]:
        """What an operator wants to know: numbers of documents, names of indices."""
        ...


def index() -> Index:
    """The back end of this deployment: Elasticsearch where it is configured, else SQLite's FTS5."""
    if settings.ELASTICSEARCH_URL:
        from apps.search.queries.elastic import ElasticIndex

        return ElasticIndex()
    from apps.search.queries.fts import FtsIndex

    return FtsIndex()
