"""Highlights matches in the text that the viewer may read now, never in the text of the index.

The work is bounded: a text is scanned once, up to the end of the shown part, and a page has a budget.
"""

import re
from collections import deque
from collections.abc import Iterator
from functools import cached_property, lru_cache
from html import escape
from itertools import islice

from apps.search.queries.criteria import Criteria
from apps.search.queries.index import expand
from apps.search.queries.languages import Words, stems_of_query
from socialapp.core.text.excerpts import boundary_before
from socialapp.core.text.folding import Token, tokens
from socialapp.core.text.hashtags import hashtag_key

_LENGTH = 280
_LEAD = 60
_BUDGET = 60_000  # characters scanned per page of posts; further texts have no highlights
_SPECIAL = re.compile("[&<>\"']")
_STEM_BEGINNING = 3  # forms of a word share their first letters

Span = tuple[int, int]


class Highlighter:
    """Marks what matches the criteria in the texts of one page."""

    def __init__(self, criteria: Criteria) -> None:
        self._budget = _BUDGET
        self._sequences: dict[str, list[Words]] = {}
        self._stems: dict[str, set[str]] = {}
        for phrase in criteria.phrases:
            expansion = expand(phrase)
            for words in expansion.phrases:
                self._add(words)
            if expansion.stems:
                self._stems.setdefault(phrase.words[0][:_STEM_BEGINNING], set()).update(expansion.stems)
        for tag in criteria.tags:
            self._add(tuple(token.word for token in tokens(tag)))
        self._longest = max((len(words) for found in self._sequences.values() for words in found), default=1)

    def mark(self, text: str) -> str | None:
        """The part of `text` around the first match as HTML, all matches in <em>; None when nothing matches."""
        readable = text[: self._budget]
        self._budget -= len(readable)
        return _excerpt(text, self._spans(readable))

    def _add(self, words: Words) -> None:
        if words:
            longest_first = [*self._sequences.get(words[0], []), words]
            self._sequences[words[0]] = sorted(longest_first, key=len, reverse=True)

    def _spans(self, text: str) -> Iterator[Span]:
        if text.isascii() and self._beginning is not None:
            return self._spans_from_beginnings(text, self._beginning)
        return self._spans_from_pieces(text)

    @cached_property
    def _beginning(self) -> "re.Pattern[str] | None":
        """Finds possible beginnings of matches in lower-case ASCII text; None where digits make that uncertain.

        Digits may belong to a grouped number that began before them ("1,000"); a letter begins a word wherever neither
        a letter nor a digit stands before it.
        """
        words, stems = map(re.escape, self._sequences), map(re.escape, self._stems)
        if not all(key[0].isalpha() for key in (*self._sequences, *self._stems)):
            return None
        choices = "|".join([*(f"{word}(?![a-z0-9])" for word in words), *(f"{stem}[a-z0-9]*" for stem in stems)])
        return re.compile(f"(?<![a-z0-9])(?:{choices})") if choices else None

    def _spans_from_beginnings(self, text: str, beginning: "re.Pattern[str]") -> Iterator[Span]:
        end = 0
        for found in beginning.finditer(text.lower()):
            if found.start() < end:
                continue
            # What was found is a whole word; only phrases need those that follow.
            following = [Token(found[0], *found.span())] if self._longest == 1 else tokens(text, start=found.start())
            ahead = deque(islice(following, self._longest))
            if length := self._match(ahead):
                end = ahead[length - 1].end
                yield ahead[0].start, end

    @cached_property
    def _piece(self) -> "re.Pattern[str]":
        """Finds spans, between ASCII spaces, that may contain beginnings of matches: no word crosses these.

        Non-ASCII text may fold to any word, except for quotation marks, dashes and the like.
        """
        keys = [*self._sequences, *self._stems]
        words = [re.escape(key) for key in keys if key[0].isalpha()]
        choices = [r"[^\x00-\x7f\xa0\xab\xbb\u2010-\u2027\u2030-\u205e]"]
        choices += ["[0-9]"] if len(words) < len(keys) else []
        choices += [f"(?<![a-z0-9])(?:{'|'.join(words)})"] if words else []
        one = rf"\S*?(?:{'|'.join(choices)})\S*"
        return re.compile(rf"(?<!\S){one}(?:\s+{one})*", re.ASCII | re.IGNORECASE)

    def _spans_from_pieces(self, text: str) -> Iterator[Span]:
        end = 0
        for piece in self._piece.finditer(text):
            reader = tokens(text, start=max(piece.start(), end))
            ahead = deque(islice(reader, self._longest))
            while ahead and ahead[0].start < piece.end():
                length = self._match(ahead)
                if length:
                    end = ahead[length - 1].end
                    yield ahead[0].start, end
                for _ in range(max(length, 1)):
                    ahead.popleft()
                    ahead.extend(islice(reader, 1))

    def _match(self, ahead: deque[Token]) -> int:
        """How many of the next words are a match."""
        word = ahead[0].word
        for words in self._sequences.get(word, ()):
            if len(words) <= len(ahead) and all(ahead[index].word == words[index] for index in range(len(words))):
                return len(words)
        stems = self._stems.get(word[:_STEM_BEGINNING])
        return 1 if stems and not stems.isdisjoint(stems_of_query(word)) else 0


def mark_beginnings(*, text: str, words: list[str]) -> str | None:
    """Like `Highlighter.mark`, for words of `text` that begin with one of `words`."""
    beginnings = tuple(words)
    if text.isascii() and (pattern := _words_with_beginning(beginnings)):
        return _excerpt(text, (found.span() for found in pattern.finditer(text.lower())))
    return _excerpt(text, ((token.start, token.end) for token in tokens(text) if token.word.startswith(beginnings)))


@lru_cache(maxsize=16)  # for the texts of one page
def _words_with_beginning(beginnings: tuple[str, ...]) -> "re.Pattern[str] | None":
    """Finds words in lower-case ASCII text; None where digits make that uncertain, as in `Highlighter._beginning`."""
    if not all(beginning[0].isalpha() for beginning in beginnings):
        return None
    return re.compile(f"(?<![a-z0-9])(?:{'|'.join(map(re.escape, beginnings))})[a-z0-9]*")


def mark_tag(*, tag: str, prefixes: list[str]) -> str | None:
    """The hashtag's name with the typed beginning in <em>; `prefixes` are beginnings of its key."""
    key = hashtag_key(tag)
    typed = max((prefix for prefix in prefixes if key.startswith(prefix)), key=len, default="")
    if not typed:
        return None
    length = len(typed) if tag == key else _length_with_key(tag, typed)
    return f"#<em>{escape(tag[:length])}</em>{escape(tag[length:])}"


def _length_with_key(tag: str, beginning: str) -> int:
    """How much of a hashtag's name makes the beginning of its key."""
    lengths = (length for length in range(1, len(tag)) if hashtag_key(tag[:length]).startswith(beginning))
    return next(lengths, len(tag))


def _excerpt(text: str, spans: Iterator[Span]) -> str | None:
    """The text around the first of the spans, which come in order and are consumed only as far as shown."""
    span = next(spans, None)
    if span is None:
        return None
    start = boundary_before(text, position=max(span[0] - _LEAD, 0)) if len(text) > _LENGTH else 0
    end = boundary_before(text, position=max(start + _LENGTH, span[1]))
    html = escape if _SPECIAL.search(text, start, end) else str
    pieces, position = ["…" if start else ""], start
    while span is not None and span[1] <= end:
        if span[0] >= position:
            pieces += [html(text[position : span[0]]), "<em>", html(text[span[0] : span[1]]), "</em>"]
            position = span[1]
        span = next(spans, None)
    pieces += [html(text[position:end]), "…" if end < len(text) else ""]
    return "".join(pieces)
