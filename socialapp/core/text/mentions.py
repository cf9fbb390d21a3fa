"""Mentions: the usernames after an @ in a text.

A mention stands alone: not within an address ("@bob@other.example", "@bob:matrix.example", "@bob/pkg"), a URL or a
longer word ("@bobé", "@bob-example"). Scripts without spaces may touch it on both sides.
"""

from typing import Final

import regex

from socialapp.core.text.characters import AT_SIGNS, SPACED_WORD
from socialapp.core.text.urls import without_urls

MAX_MENTIONS: Final = 20  # of distinct people in one text; those after it are plain text
_MENTION: Final = regex.compile(
    rf"(?V1)(?<![[{SPACED_WORD}]/{AT_SIGNS}])[{AT_SIGNS}]"
    r"(?P<name>[A-Za-z0-9_](?:[A-Za-z0-9_]|\.(?!\.\.))*+)(?P<after>.?)(?P<next>.?)",
    regex.DOTALL,
)
_SPACED_WORD: Final = regex.compile(rf"(?V1)[{SPACED_WORD}]")
# Hyphens and characters of addresses; then what is invisible inside a word: soft hyphen, joiners.
_JOINS: Final = frozenset("-:/+\u2010\u2011\u00ad\u200c\u200d\u2060")
_LENGTHS: Final = range(3, 31)


def find_mentions(text: str, *, limit: int = MAX_MENTIONS) -> list[str]:
    """The first `limit` distinct usernames that a text mentions, lower-case, in order."""
    if not any(sign in text for sign in AT_SIGNS):
        return []
    names: dict[str, None] = {}
    position = 0
    plain = without_urls(text)
    while len(names) < limit and (found := _MENTION.search(plain, position)):
        position = found.end("name")
        name = found["name"].rstrip(".")
        if len(name) in _LENGTHS and not _goes_on(found["name"], found["after"], found["next"]):
            names[name.lower()] = None
    return list(names)


def _goes_on(written: str, after: str, following: str) -> bool:
    """Whether the text after the name makes it part of something longer; a dot at the end only ends the sentence."""
    if written.endswith(".."):
        return False
    if after and after in AT_SIGNS:
        return not written.endswith(".")
    if after in _JOINS:
        return bool(_SPACED_WORD.match(following))
    return bool(_SPACED_WORD.match(after))
