"""Hashtags: the hashtag identifiers of UAX #31, with joiners and with the dots that some languages write inside words.

A hashtag has a name, which is shown, and a key, which is compared: "#Straße" and "#STRASSE" are one hashtag.
"""

import hashlib
from typing import Final

import regex
import unicodedata2

from socialapp.core.text.characters import NUMBER_SIGNS, SPACED_WORD
from socialapp.core.text.folding import nfkc_casefold
from socialapp.core.text.urls import without_urls

MAX_HASHTAG: Final = 100  # characters of a name; a longer one is not a hashtag
MAX_HASHTAGS: Final = 30  # of distinct hashtags in one text; those after it are plain text

# Middle dots (Catalan, Greek, Katakana), hyphenation point, geresh and gershayim, tsheg, ZWNJ and ZWJ.
_MEDIAL: Final = r"\u00b7\u0387\u30fb\uff65\u2027\u05f3\u05f4\u0f0b\u200c\u200d"
_CONTINUE: Final = rf"[\p{{XID_Continue}}--[{_MEDIAL}]]"
# A mark belongs to the character before it, here the number sign, so a hashtag cannot start with one (a keycap).
_BODY: Final = rf"(?!\p{{M}}){_CONTINUE}++(?:[{_MEDIAL}]{{1,2}}{_CONTINUE}++)*+"
_HASHTAG: Final = regex.compile(rf"(?V1)(?<![[{SPACED_WORD}]&/{NUMBER_SIGNS}])[{NUMBER_SIGNS}]({_BODY})")
_LEADING: Final = regex.compile(rf"(?V1)[{NUMBER_SIGNS}]?({_BODY})")
_LETTER: Final = regex.compile(r"\p{L}")
# Separate Hangul letters, as in "#ㅋㅋㅋ": NFKC turns them into parts of syllables, which look different on their own.
_NOT_LONE_LETTERS: Final = regex.compile(r"[^\u3131-\u318e]++")
_UNSEEN: Final = regex.compile(r"(?V1)[\p{Default_Ignorable_Code_Point}--[\u200c\u200d]]+")


def find_hashtags(text: str, *, limit: int = MAX_HASHTAGS) -> list[str]:
    """The names of the first `limit` distinct hashtags of a text, in order. A hashtag must contain a letter."""
    if not any(sign in text for sign in NUMBER_SIGNS):
        return []
    names: dict[str, str] = {}
    for body in _HASHTAG.findall(without_urls(text)):
        name = hashtag_name(body)
        key = hashtag_key(name)
        if len(name) <= MAX_HASHTAG and len(key) <= MAX_HASHTAG and _LETTER.search(key):
            names.setdefault(key, name)
        if len(names) == limit:
            break
    return list(names.values())


def hashtag_name(tag: str) -> str:
    """The form in which a hashtag is shown: in lower case, with the joiners that its script may need."""
    lower = _compatible(tag).lower()
    return _compatible(_UNSEEN.sub("", lower))


def hashtag_key(tag: str) -> str:
    """The form in which hashtags are compared."""
    return nfkc_casefold(tag)


def hashtag_digest(tag: str) -> str:
    """A digest of a hashtag's key: equal in every database, whatever its collation."""
    return hashlib.blake2b(hashtag_key(tag).encode(), digest_size=16).hexdigest()


def leading_hashtag(text: str) -> str:
    """The key of the hashtag that a text begins with, with or without its sign; empty if there is none."""
    found = _LEADING.match(text)
    return hashtag_key(found[1]) if found else ""


def _compatible(text: str) -> str:
    return _NOT_LONE_LETTERS.sub(lambda found: unicodedata2.normalize("NFKC", found[0]), text)
