"""How text becomes the words that are compared: the same for both back ends.

Words are compared without case, accents, optional vowel marks and punctuation. Scripts that are written without spaces
are taken character by character, so that a part of a sentence finds it. Every emoji is a word of its own.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import takewhile

# Han, kana, Thai, Lao, Myanmar, Khmer: no spaces between words.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Pictographs and flags, without skin tones: a colour is not what somebody searches for.
EMOJI = "[\u231a-\u23ff\u2600-\u27bf\u2b05-\u2b55\U0001f000-\U0001f3fa\U0001f400-\U0001faff]"
# Vowel points of Hebrew and Arabic and the Arabic elongation: writers may leave them out.
_OPTIONAL_MARKS = re.compile("[\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]")
# Letters that Unicode does not decompose, although readers type them without their strokes.
_STROKES = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "þ": "th", "ð": "d"})


@dataclass(frozen=True, slots=True)
class Token:
    """A folded word, and where it stands in the text."""

    word: str
    start: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """The words of a text, in order."""
    for found in _token_pattern().finditer(text):
        if found[0].isascii():  # most words; folding them does nothing else
            yield Token(found[0].lower(), found.start(), found.end())
            continue
        # Folding can take a character apart into several words; they then share its place.
        for word in _folded_words(found[0]):
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
    return re.compile(f"[{_UNSPACED}]{mark}|{EMOJI}|(?:(?![{_UNSPACED}])[^\\W_]{mark})+")


@lru_cache(maxsize=16_384)
def _folded_words(word: str) -> tuple[str, ...]:
    return tuple(_token_pattern().findall(_fold(word)))


def _fold(word: str) -> str:
    if re.fullmatch(EMOJI, word):
        return word
    decomposed = unicodedata.normalize("NFKD", word).casefold()
    bare = "".join(char for char in decomposed if not "\u0300" <= char <= "\u036f" and _is_word(char))
    return unicodedata.normalize("NFC", _OPTIONAL_MARKS.sub("", bare)).translate(_STROKES)


def _is_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char)[0] == "M"
