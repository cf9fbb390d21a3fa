"""The reading interface of both back ends: ids in, ids out, limited to what an audience may see.

The index may lag behind, so its hits are checked again before they are shown (see `results`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log
from typing import Protocol

from apps.search.queries.criteria import Criteria, Phrase
from apps.search.queries.languages import Words, stems_of_query, synonyms

RECENCY_HALF_LIFE = timedelta(days=90)  # after which the score of a post is halved
STEM_WEIGHT = 0.5  # weight of a form or synonym, relative to the typed word
MAX_RANKED = 1000  # posts that are ranked by relevance

# The ranks of people, best first: the exact user name, its beginning, other words, words one letter away.
EXACT_NAME, BEGINNING_OF_NAME, BY_WORDS, NEARLY = 3, 2, 1, 0

# Resolves the user names in a query to ids.
Authors = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Viewer:
    """The viewer: whom they follow (accepted), and everyone they block or who blocks them."""

    id: int | None
    following: list[int]
    hidden: list[int]

    @property
    def circle(self) -> list[int]:
        """People whose private posts the viewer may see: those they follow, and themselves."""
        return self.following if self.id is None else [self.id, *self.following]


@dataclass(frozen=True, slots=True)
class Window:
    """Up to `limit` hits after `position` in the list's order, or before it, nearest first, when `backwards`."""

    limit: int
    position: tuple[int | str, ...] | None = None
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A hit, and its position in the order of the list."""

    id: int
    position: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class TagCount:
    """A hashtag and its number of public posts."""

    tag: str
    posts_count: int


@dataclass(frozen=True, slots=True)
class QueryExpansion:
    """The expansion of a phrase: itself, its synonyms, and the stems that match its other forms."""

    typed: Words
    synonyms: Sequence[Words]
    stems: Sequence[str]

    @property
    def phrases(self) -> list[Words]:
        """The phrase and its synonyms."""
        return [self.typed, *self.synonyms]


def expand(phrase: Phrase) -> QueryExpansion:
    """A quoted phrase matches only itself; others also their synonyms, and a single word also its other forms."""
    if phrase.quoted:
        return QueryExpansion(phrase.words, [], [])
    stems = stems_of_query(phrase.words[0]) if len(phrase.words) == 1 else []
    return QueryExpansion(phrase.words, synonyms(phrase.words), stems)


def relevance(text_score: float, *, engagement: int, created_at: datetime, now: datetime) -> float:
    """The text score, times the logarithm of the engagement, halved for each half-life of the post's age.

    Elasticsearch computes the same in its `function_score`.
    """
    age = max(now - created_at, timedelta(0)) / RECENCY_HALF_LIFE
    return text_score * log(2 + engagement) * float(0.5**age)


class Index(Protocol):
    """The reading operations. All raise Unavailable if the back end does not answer."""

    name: str

    def posts(self, criteria: Criteria, authors: Authors, viewer: Viewer, window: Window) -> list[Hit]:
        """Posts, newest first; the position is (id,)."""
        ...

    def ranked_posts(self, criteria: Criteria, authors: Authors, viewer: Viewer, *, now: datetime) -> list[int]:
        """The ids of up to `MAX_RANKED` posts, most relevant first (see `relevance`)."""
        ...

    def profiles(self, criteria: Criteria, viewer: Viewer, window: Window, *, names_only: bool = False) -> list[Hit]:
        """People whose names begin with the words or are one letter away from them, or whose bio contains them.

        `names_only` ignores the bio. The position is (rank, followers, id), all descending.
        """
        ...

    def hashtags(self, prefixes: list[str], viewer: Viewer, *, limit: int) -> list[TagCount]:
        """Hashtags that begin with one of the prefixes, most used first, then by name; public posts count."""
        ...

    def oldest_and_newest(self, tags: Sequence[str], viewer: Viewer) -> dict[str, set[int]]:
        """The oldest and the newest public post of each hashtag; hashtags without any are omitted."""
        ...

    def similar_words(self, word: str) -> list[str]:
        """Words of anybody's indexed posts that are one letter away from a word, most used first."""
        ...

    def versions(self, kind: str, *, after: int, up_to: int) -> dict[int, int]:
        """Id → version of everything of `kind` in the index with after < id <= up_to, as of now."""
        ...

    def status(self) -> dict[str, object]:
        """Facts for operators: numbers of documents, names of indices."""
        ...
