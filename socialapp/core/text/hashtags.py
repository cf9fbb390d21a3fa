"""Hashtags: the hashtag identifiers of UAX #31, with joiners and with the dots that some languages write inside words.

A hashtag has a name, which is shown, and a key, which is compared: "#Straße" and "#STRASSE" are one hashtag.
"""

import hashlib
from typing import Final

import regex
import unicodedata2

from socialapp.core.text.characters import LONGEST_DECOMPOSITION, NUMBER_SIGNS, SPACED_WORD
from socialapp.core.text.folding import nfkc_casefold
from socialapp.core.text.urls import without_urls

MAX_HASHTAG: Final = 100  # characters of a name; a longer one is not a hashtag
_LONGEST_FORM: Final = LONGEST_DECOMPOSITION * MAX_HASHTAG
MAX_HASHTAGS: Final = 30  # of distinct hashtags in one text; those after it are plain text

# Middle dots (Catalan, Greek, Katakana), hyphenation point, gershayim, maqaf, tshegs, the Japanese double hyphen, wave
# dashes, ZWNJ and ZWJ.
_MEDIAL: Final = r"\u00b7\u0387\u30fb\uff65\u2027\u05f4\u05be\u0f0b\u0f0c\u30a0\u301c\uff5e\u200c\u200d"
_GERESH: Final = r"\u05f3"  # also ends words, as in the Hebrew "etc."
_CONTINUE: Final = rf"[[\p{{XID_Continue}}{_GERESH}]--[{_MEDIAL}]]"
# A mark belongs to the character before it, here the number sign, so a hashtag cannot start with one (a keycap).
_BODY: Final = rf"(?![\p{{M}}{_GERESH}]){_CONTINUE}++(?:[{_MEDIAL}]{{1,2}}{_CONTINUE}++)*+"
_HASHTAG: Final = regex.compile(rf"(?V1)(?<![[{SPACED_WORD}]&/{NUMBER_SIGNS}])[{NUMBER_SIGNS}]({_BODY})")
_LEADING: Final = regex.compile(rf"(?V1)[{NUMBER_SIGNS}]?({_BODY})")
_LETTER: Final = regex.compile(r"\p{L}")
# NFKC would misspell words with these: separate Hangul letters ("#ㅋㅋㅋ") become parts of syllables, a Thai or Lao am
# two characters of which the first belongs before a tone mark, Lao digraphs and the Armenian ew two letters.
_UNCHANGED: Final = r"\u3131-\u318e\u0e33\u0eb3\u0edc\u0edd\u0587"
_CHANGEABLE: Final = regex.compile(rf"[^{_UNCHANGED}]++")
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
    lower = _compatible(_one_dash(tag)).lower()
    return _compatible(_UNSEEN.sub("", lower))


def hashtag_key(tag: str) -> str:
    """The form in which hashtags are compared."""
    return nfkc_casefold(_one_dash(tag))


def hashtag_digest(tag: str) -> str:
    """A digest of a hashtag's key: equal in every database, whatever its collation.

    Of a text that is too long for a hashtag, only the beginning counts: normalization takes quadratic time.
    """
    return hashlib.blake2b(hashtag_key(tag[:_LONGEST_FORM]).encode(), digest_size=16).hexdigest()


def leading_hashtag(text: str) -> str:
    """The key of the hashtag that a text begins with, with or without its sign; empty if there is none."""
    found = _LEADING.match(text)
    return hashtag_key(found[1]) if found else ""


def _one_dash(text: str) -> str:
    """The text with wave dashes as Unicode names them: Windows types the full-width tilde, which NFKC turns into ~."""
    return text.replace("\uff5e", "\u301c")


def _compatible(text: str) -> str:
    return _CHANGEABLE.sub(lambda found: unicodedata2.normalize("NFKC", found[0]), text)
