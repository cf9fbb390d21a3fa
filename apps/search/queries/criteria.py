"""The query language of `q`: parses typed text to a tree of criteria, or refuses it with the position of the error.

    query   = all { "OR" all }          all = one { one }          one = [ "-" ] ( "(" query ")" | term )
    term    = '"' phrase '"' | "#" tag | filter ":" value | word

Queries are limited in size, and so is their cost.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from apps.search.queries.languages import Words
from socialapp.core.errors import Invalid
from socialapp.core.text.characters import AT_SIGNS, NUMBER_SIGNS
from socialapp.core.text.folding import tokens
from socialapp.core.text.hashtags import leading_hashtag
from socialapp.core.text.language import LANGUAGES

MAX_QUERY = 500
_MAX_TERMS = 20
_MAX_WORDS = 32
_MAX_DEPTH = 4
_MAX_REACTIONS = 1_000_000_000

# Normalizes full-width ASCII, as in "from：bob" and "－kite", typographic quotes, and the hyphens used as minus signs.
# Each is a single character, so positions stay right. The full-width tilde, the last one, is a dash inside hashtags.
_PLAIN = {0xFF01 + place: chr(0x21 + place) for place in range(93)}
_PLAIN |= str.maketrans(dict.fromkeys("“”„‟«»‹›❝❞〝〞〟″「」『』｢｣", '"') | dict.fromkeys("‐‑‒–−﹣", "-"))
# Single quotes: apostrophes inside words, and quotes around whole ones.
_SINGLE_QUOTES = re.compile(r"(?<![^\s(-])[‘‚]([^‘’‚]*)[’‘](?![^\s)])")
_FILTER = re.compile(r"(?P<name>from|before|after|has|lang|min_reactions):(?P<value>.*)", re.IGNORECASE | re.DOTALL)
_USERNAME = re.compile(rf"[{AT_SIGNS}]?([A-Za-z0-9_.-]{{1,150}})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HAS = ("media", "link", "cw")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Adjacent words. `quoted`: exactly these; otherwise a single word also matches its other forms.

    `start` and `end` are its position in the typed text.
    """

    words: Words
    quoted: bool = False
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Tag:
    """`#tag`, folded."""

    name: str


@dataclass(frozen=True, slots=True)
class From:
    """`from:` one of these user names, lower-case."""

    usernames: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """`after:` (from that day on) or `before:` (until the day before); one of them is None."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Has:
    """`has:` media, link or cw."""

    what: str


@dataclass(frozen=True, slots=True)
class Language:
    """`lang:`, an ISO 639-1 code."""

    code: str


@dataclass(frozen=True, slots=True)
class MinReactions:
    """`min_reactions:`."""

    number: int


@dataclass(frozen=True, slots=True)
class Not:
    """A negated criterion."""

    node: "Node"


@dataclass(frozen=True, slots=True)
class AllOf:
    """A conjunction."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A disjunction."""

    nodes: tuple["Node", ...]


Leaf = Phrase | Tag | From | Written | Has | Language | MinReactions
Node = Leaf | Not | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Criteria:
    """The criteria of a query; `root` None if there is nothing to search for, as in "?!"."""

    root: Node | None
    names: list[str] = field(default_factory=list)  # the terms as typed, lower-case: beginnings of user names and tags

    @property
    def phrases(self) -> list[Phrase]:
        """The phrases searched for, each once."""
        return list(dict.fromkeys(leaf for leaf in self._wanted() if isinstance(leaf, Phrase)))

    @property
    def words(self) -> list[str]:
        """Every word searched for."""
        return [word for phrase in self.phrases for word in phrase.words]

    @property
    def tags(self) -> list[str]:
        """The hashtags searched for."""
        return list(dict.fromkeys(leaf.name for leaf in self._wanted() if isinstance(leaf, Tag)))

    @property
    def asks_for_posts(self) -> bool:
        """Whether there are criteria that only posts can meet."""
        wanted = set(self._wanted())
        return any(
            not isinstance(leaf, Phrase | Tag) or (isinstance(leaf, Tag) and leaf not in wanted)
            for leaf in leaves(self.root)
        )

    def _wanted(self) -> Iterator[Leaf]:
        return leaves(self.root, wanted_only=True)


def leaves(node: Node | None, *, wanted_only: bool = False) -> Iterator[Leaf]:
    """The terms of a tree, in order; negated ones are omitted if `wanted_only`."""
    if isinstance(node, AllOf | AnyOf):
        for part in node.nodes:
            yield from leaves(part, wanted_only=wanted_only)
    elif isinstance(node, Not):
        if not wanted_only:
            yield from leaves(node.node)
    elif node is not None:
        yield node


def parse(q: str) -> Criteria:
    """The criteria of `q`; Invalid, with the position, if it is empty, too long, or cannot be parsed."""
    if not q.strip():
        raise Invalid.of("q", "blank", "Type something to search for.")
    if len(q) > MAX_QUERY:
        raise Invalid.of("q", "max_length", f"A search can have at most {MAX_QUERY} characters.")
    parser = _Parser(q)
    root = parser.query(depth=0)
    return Criteria(root, parser.names)


class _Parser:
    """A recursive-descent parser; `names` collects possible beginnings of user names and hashtags."""

    def __init__(self, q: str) -> None:
        self.names: list[str] = []
        self._text = re.sub(r"\s", " ", _SINGLE_QUOTES.sub(r'"\1"', q.translate(_PLAIN)))
        self._at = 0
        self._terms = 0
        self._words = 0

    def query(self, *, depth: int) -> Node | None:
        """Alternatives, up to the end or the parenthesis that closes this group."""
        alternatives: list[Node] = []
        while True:
            start = self._at
            found = self._all(depth)
            if self._is_or():
                if not self._text[start : self._at].strip():
                    raise _refusal(self._at, "syntax", "OR needs a term on its left.")
                place, self._at = self._at, self._at + 2
                self._skip_spaces()
                if self._is_end(depth) or self._is_or():
                    raise _refusal(place, "syntax", "OR needs a term on its right.")
                alternatives += [found] if found else []
                continue
            alternatives += [found] if found else []
            return _combined(AnyOf, alternatives)

    def _all(self, depth: int) -> Node | None:
        nodes: list[Node] = []
        while True:
            self._skip_spaces()
            if self._is_end(depth) or self._is_or():
                return _combined(AllOf, _authors_joined(nodes))
            if node := self._one(depth):
                nodes.append(node)

    def _one(self, depth: int) -> Node | None:
        excluded = self._text[self._at] == "-"
        self._at += excluded
        is_group = self._text.startswith("(", self._at)
        node = self._group(depth) if is_group else self._term(depth, excluded=excluded)
        return Not(node) if node and excluded else node

    def _group(self, depth: int) -> Node | None:
        place, self._at = self._at, self._at + 1
        if depth >= _MAX_DEPTH:
            raise _refusal(place, "too_deep", f"Parentheses can be nested at most {_MAX_DEPTH} deep.")
        node = self.query(depth=depth + 1)
        if self._text[self._at : self._at + 1] != ")":
            raise _refusal(place, "syntax", "This parenthesis is never closed.")
        self._at += 1
        return node

    def _term(self, depth: int, *, excluded: bool) -> Node | None:
        self._terms += 1
        if self._terms > _MAX_TERMS:
            raise _refusal(self._at, "too_many_terms", f"A search can have at most {_MAX_TERMS} terms.")
        start = self._at
        if self._text[start : start + 1] == '"':
            closing = self._text.find('"', start + 1)
            self._at = closing + 1 if closing >= 0 else len(self._text)
            inner = self._text[start + 1 : closing if closing >= 0 else len(self._text)]
            return self._phrase(inner, start, quoted=True)
        text = self._text[start:].partition(" ")[0]
        closed = min(depth, len(text) - len(text.rstrip(")")))
        text = text[: len(text) - closed] if closed else text
        self._at += len(text)
        return self._bare(text, start, excluded=excluded)

    def _bare(self, text: str, start: int, *, excluded: bool) -> Node | None:
        if found := _FILTER.fullmatch(text):
            return _filter(found["name"].lower(), found["value"].strip('"'), start)
        if text.startswith(tuple(NUMBER_SIGNS)) and (tag := leading_hashtag(text)):
            return Tag(tag)
        if not excluded and (name := text.lower().lstrip(AT_SIGNS)):
            self.names.append(name)
        return self._phrase(text, start, quoted=False)

    def _phrase(self, text: str, start: int, *, quoted: bool) -> Phrase | None:
        words = tuple(token.word for token in tokens(text))
        self._words += len(words)
        if self._words > _MAX_WORDS:
            raise _refusal(start, "too_many_words", f"A search can have at most {_MAX_WORDS} words.")
        return Phrase(words, quoted, start, self._at) if words else None

    def _skip_spaces(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _is_or(self) -> bool:
        following = self._text[self._at + 2 : self._at + 3]
        return self._text.startswith("OR", self._at) and (not following or following.isspace() or following in "()")

    def _is_end(self, depth: int) -> bool:
        return self._at >= len(self._text) or (depth > 0 and self._text[self._at] == ")")


def _combined(kind: type[AllOf] | type[AnyOf], nodes: list[Node]) -> Node | None:
    distinct = tuple(dict.fromkeys(nodes))
    if len(distinct) < 2:
        return distinct[0] if distinct else None
    return kind(distinct)


def _authors_joined(nodes: list[Node]) -> list[Node]:
    """Adjacent `from:` are alternatives, as no post has two authors."""
    names = tuple(name for node in nodes if isinstance(node, From) for name in node.usernames)
    others: list[Node] = [node for node in nodes if not isinstance(node, From)]
    return [*others, From(names)] if names else others


def _filter(name: str, value: str, start: int) -> Leaf:
    readers: dict[str, Callable[[str], Leaf | None]] = {
        "from": _from,
        "before": _before,
        "after": _after,
        "has": _has,
        "lang": _language,
        "min_reactions": _min_reactions,
    }
    needs = {
        "from": "a user name, as in from:alice",
        "before": "a date, as in before:2026-01-31",
        "after": "a date, as in after:2026-01-31",
        "has": "media, link or cw, as in has:media",
        "lang": f"the code of a language ({', '.join(sorted(LANGUAGES))}), as in lang:de",
        "min_reactions": "a number, as in min_reactions:10",
    }
    if found := readers[name](value):
        return found
    raise _refusal(start, "filter_invalid", f"{name}: needs {needs[name]}.")


def _from(value: str) -> From | None:
    found = _USERNAME.fullmatch(value)
    return From((found[1].lower(),)) if found else None


def _before(value: str) -> Written | None:
    day = _day(value)
    return Written(until=day) if day else None


def _after(value: str) -> Written | None:
    day = _day(value)
    return Written(since=day) if day else None


def _has(value: str) -> Has | None:
    return Has(value.lower()) if value.lower() in _HAS else None


def _language(value: str) -> Language | None:
    return Language(value.lower()) if value.lower() in LANGUAGES else None


def _min_reactions(value: str) -> MinReactions | None:
    if not (value.isascii() and value.isdigit() and len(value) <= 10):
        return None
    return MinReactions(min(int(value), _MAX_REACTIONS))


def _day(value: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(value), time(), tzinfo=UTC) if _DAY.fullmatch(value) else None
    except ValueError:
        return None


def _refusal(place: int, code: str, detail: str) -> Invalid:
    return Invalid.of("q", code, f"At character {place + 1}: {detail}")
