"""The language of `q`, and how text becomes the words that are compared: the same for both back ends.

Words are compared without case, accents and punctuation. Scripts that are written without spaces are taken
character by character, so that a part of a sentence finds it; a term of several such tokens must stand together.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cache
from itertools import takewhile

from socialapp.core.errors import Invalid

MAX_QUERY = 500
_MAX_TERMS = 40

Phrase = tuple[str, ...]

# Han, kana, Thai, Lao, Myanmar, Khmer: no spaces between words.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Letters that Unicode does not decompose, although readers type them without their strokes.
_STROKES = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "þ": "th", "ð": "d"})
_TERM = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)(?:"|$)|(?P<bare>\S+))')
_FILTER = re.compile(r"(?P<name>from|before|after|has):(?P<value>.*)", re.IGNORECASE | re.DOTALL)
_USERNAME = re.compile(r"@?([A-Za-z0-9_.-]{1,150})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Token:
    """A folded word, and where it stands in the text."""

    word: str
    start: int
    end: int


@dataclass(slots=True)
class Criteria:
    """What a query asks for. All of it must hold; of several authors one."""

    phrases: list[Phrase] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    without_phrases: list[Phrase] = field(default_factory=list)
    without_tags: list[str] = field(default_factory=list)
    without_authors: list[str] = field(default_factory=list)
    before: datetime | None = None
    after: datetime | None = None
    has_media: bool = False
    names: list[str] = field(default_factory=list)  # the terms as typed, lower-case: beginnings of user names and tags

    @property
    def words(self) -> list[str]:
        """Every word that is asked for."""
        return [word for phrase in self.phrases for word in phrase]

    @property
    def asks_for_posts(self) -> bool:
        """Whether something is asked that only posts can have."""
        return bool(
            self.authors or self.without_authors or self.without_tags or self.before or self.after or self.has_media
        )

    @property
    def asks_for_nothing(self) -> bool:
        """Whether nothing in the query can be compared with anything, as in "?!"."""
        return not (self.phrases or self.tags or self.without_phrases or self.asks_for_posts)


def parse(q: str) -> Criteria:
    """What `q` asks for; Invalid when it is empty, too long, or a filter's value cannot be understood."""
    if not q.strip():
        raise Invalid.of("q", "blank", "Type something to search for.")
    if len(q) > MAX_QUERY:
        raise Invalid.of("q", "max_length", f"A search can have {MAX_QUERY} characters at most.")
    criteria = Criteria()
    for count, term in enumerate(_TERM.finditer(q)):
        if count >= _MAX_TERMS:
            raise Invalid.of("q", "too_many_terms", f"A search can have {_MAX_TERMS} terms at most.")
        excluded = bool(term["minus"])
        if term["phrase"] is not None:
            _add_phrase(criteria, term["phrase"], excluded=excluded)
        else:
            _add_bare(criteria, term["bare"], excluded=excluded)
    return criteria


def _add_bare(criteria: Criteria, text: str, *, excluded: bool) -> None:
    if found := _FILTER.fullmatch(text):
        _add_filter(criteria, found["name"].lower(), found["value"].strip('"'), excluded=excluded)
    elif text.startswith("#") and (tag := tag_characters(text[1:])):
        (criteria.without_tags if excluded else criteria.tags).append(tag)
    else:
        _add_phrase(criteria, text, excluded=excluded)
        if not excluded and (name := text.lower().lstrip("@")):
            criteria.names.append(name)


def _add_phrase(criteria: Criteria, text: str, *, excluded: bool) -> None:
    if phrase := tuple(token.word for token in tokens(text)):
        (criteria.without_phrases if excluded else criteria.phrases).append(phrase)


def _add_filter(criteria: Criteria, name: str, value: str, *, excluded: bool) -> None:
    if name == "from":
        (criteria.without_authors if excluded else criteria.authors).append(_username(value))
        return
    if excluded:
        raise Invalid.of("q", "filter_invalid", f"{name}: cannot be excluded with a minus sign.")
    if name == "has":
        if value.lower() != "media":
            raise Invalid.of("q", "filter_invalid", "has: can only be has:media.")
        criteria.has_media = True
    elif name == "before":
        criteria.before = min(_day(name, value), criteria.before or datetime.max.replace(tzinfo=UTC))
    else:
        criteria.after = max(_day(name, value), criteria.after or datetime.min.replace(tzinfo=UTC))


def _username(value: str) -> str:
    if found := _USERNAME.fullmatch(value):
        return found[1].lower()
    raise Invalid.of("q", "filter_invalid", "from: needs a user name, as in from:alice.")


def _day(name: str, value: str) -> datetime:
    try:
        if _DAY.fullmatch(value):
            return datetime.combine(date.fromisoformat(value), time(), tzinfo=UTC)
    except ValueError:
        pass
    raise Invalid.of("q", "filter_invalid", f"{name}: needs a date, as in {name}:2026-01-31.")


def tokens(text: str) -> Iterator[Token]:
    """The words of a text, in order."""
    for found in _token_pattern().finditer(text):
        if found[0].isascii():  # most words; folding them does nothing else
            yield Token(found[0].lower(), found.start(), found.end())
            continue
        # Folding can take a character apart into several words; they then share its place.
        for word in _token_pattern().findall(_fold(found[0])):
            yield Token(word, found.start(), found.end())


def folded(text: str) -> str:
    """The words of a text as they are indexed and compared: separated by one space."""
    return " ".join(token.word for token in tokens(text))


def fold_tag(tag: str) -> str:
    """A hashtag without #, as posts keep it: lower-case, its accents left alone."""
    return unicodedata.normalize("NFC", tag).lower()


def tag_characters(text: str) -> str:
    """The beginning of a text that a hashtag can consist of: letters, digits, marks and underscores."""
    return "".join(takewhile(lambda char: char == "_" or _is_word(char), fold_tag(text)))


@cache
def _token_pattern() -> re.Pattern[str]:
    """Letters and digits with the marks that stand on them; `\\w` alone would split words at their marks."""
    marks = "".join(chr(code) for code in range(0x300, 0x1E944) if unicodedata.category(chr(code))[0] == "M")
    mark = f"[{re.escape(marks)}]*"
    return re.compile(f"[{_UNSPACED}]{mark}|(?:(?![{_UNSPACED}])[^\\W_]{mark})+")


def _fold(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word).casefold()
    bare = "".join(char for char in decomposed if not "\u0300" <= char <= "\u036f" and _is_word(char))
    return unicodedata.normalize("NFC", bare).translate(_STROKES)


def _is_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char)[0] == "M"
