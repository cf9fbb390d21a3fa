"""The interface that both back ends answer: ids in, ids out, already cut down to what an audience may see.

The index may lag behind, so whoever shows its hits checks them again (see `results`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log
from typing import Protocol

from apps.search.queries.criteria import Criteria, Phrase
from apps.search.queries.languages import Words, stems_of_query, synonyms

RECENCY_HALF_LIFE = timedelta(days=90)  # after which a post is worth half as much
STEM_WEIGHT = 0.5  # what a form or a synonym of a word is worth beside the very word
MAX_RANKED = 1000  # posts that are ranked by relevance

# The places of people found, best first: the very user name, its beginning, other words, words a letter away.
EXACT_NAME, BEGINNING_OF_NAME, BY_WORDS, NEARLY = 3, 2, 1, 0

# The ids of the people whose user names a query has.
Authors = Mapping[str, int]


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


@dataclass(frozen=True, slots=True)
class QueryExpansion:
    """What a phrase is expanded to: itself, its synonyms, and the stems that match its other forms."""

    typed: Words
    synonyms: Sequence[Words]
    stems: Sequence[str]

    @property
    def phrases(self) -> list[Words]:
        """The phrase and its synonyms."""
        return [self.typed, *self.synonyms]


def expand(phrase: Phrase) -> QueryExpansion:
    """A phrase in quotes stands for itself; others for their synonyms too, and a single word for its other forms."""
    if phrase.quoted:
        return QueryExpansion(phrase.words, [], [])
    stems = stems_of_query(phrase.words[0]) if len(phrase.words) == 1 else []
    return QueryExpansion(phrase.words, synonyms(phrase.words), stems)


def relevance(text_score: float, *, engagement: int, created_at: datetime, now: datetime) -> float:
    """The score of the text, times the logarithm of the engagement, halved for each half-life that the post is old.

    Elasticsearch computes the same in its `function_score`.
    """
    age = max(now - created_at, timedelta(0)) / RECENCY_HALF_LIFE
    return text_score * log(2 + engagement) * float(0.5**age)


class Index(Protocol):
    """What can be asked of a back end. All raise Unavailable when it does not answer."""

    name: str

    def posts(self, criteria: Criteria, authors: Authors, viewer: Viewer, window: Window) -> list[Hit]:
        """Posts, newest first; the position is (id,)."""
        ...

    def ranked_posts(self, criteria: Criteria, authors: Authors, viewer: Viewer, *, now: datetime) -> list[int]:
        """The ids of up to `MAX_RANKED` posts, the most relevant first (see `relevance`)."""
        ...

    def profiles(self, criteria: Criteria, viewer: Viewer, window: Window, *, names_only: bool = False) -> list[Hit]:
        """People whose names begin with the words or are a letter away from them, or whose bio has them.

        `names_only` leaves the bio out. The position is (rank, followers, id), all falling.
        """
        ...

    def hashtags(self, prefixes: list[str], viewer: Viewer, *, limit: int) -> list[TagCount]:
        """Hashtags that begin with one of the prefixes, most used first, then by name; public posts count."""
        ...

    def similar_words(self, word: str) -> list[str]:
        """Words of indexed posts that are one letter away from one that none has, the most used first: of anybody's."""
        ...

    def versions(self, kind: str, *, after: int, up_to: int) -> dict[int, int]:
        """Id → version of everything of `kind` in the index with after < id <= up_to, as of now."""
        ...

    def status(self) -> dict[str, object]:
        """What an operator wants to know: numbers of documents, names of indices."""
        ...
