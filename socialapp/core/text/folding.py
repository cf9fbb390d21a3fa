"""Forms in which texts are compared: caseless for identifiers, and more tolerant for search words.

Letters that are newer than the interpreter's version of Unicode stay as they are.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import regex
import unicodedata2

from socialapp.core.text.characters import UNSPACED

_IGNORABLE: Final = regex.compile(r"(?V1)\p{Default_Ignorable_Code_Point}+")
_UNSPACED_WORD: Final = rf"[[{UNSPACED}]&&[\p{{L}}\p{{Nl}}\p{{M}}]]"
# The Thai and Lao nikhahit stays apart, so that "ำ" equals the two characters that it decomposes to.
_MARK: Final = r"[\p{M}--[\u0e4d\u0ecd]]"
# Apostrophes and the like, which are letters to Unicode: "Oʻzbekiston" and "пʼять" are typed with ordinary ones too.
_APOSTROPHES: Final = r"\u02b9-\u02bf"
# A Hangul syllable that is written as separate letters.
_SYLLABLE: Final = (
    r"(?:[\u1100-\u115e\ua960-\ua97c][\u1161-\u11a7\ud7b0-\ud7c6]|[\uac00-\ud7a3])[\u11a8-\u11ff\ud7cb-\ud7fb]*+"
)
# Marks, tatweel, and the voiced and semi-voiced marks of half-width kana, which are letters to Unicode.
_INSIDE: Final = rf"[{_MARK}\p{{Default_Ignorable_Code_Point}}\u0640\uff9e\uff9f]"
# Besides letters: circled ones, radicals, and words and units in one character, as in "㍻", "㈱" and "10㎏"; three of
# them are emoji.
_LETTER: Final = rf"[[\p{{L}}\u24b6-\u24e9\u2f00-\u2fd5\u3200-\u33ff]--[{_APOSTROPHES}\u24c2\u3297\u3299\uff9e\uff9f]]"
_EMOJI: Final = r"[\p{Extended_Pictographic}--[\u0000-\u2139]]"
_EMOJI_PARTS: Final = r"[\ufe0f\p{Emoji_Modifier}]"
_KEYCAP: Final = r"(?<![\p{L}\p{N}])[0-9#*]\ufe0f?\u20e3"
# Signs that are emoji only with a variation selector: ©️, ®️, ‼️, ⁉️, ™️, ℹ️.
_SIGN: Final = r"[\u00a9\u00ae\u203c\u2049\u2122\u2139]\ufe0f"
# The flags of England, Scotland, Wales and other parts of countries: a black flag and a code of invisible characters.
_FLAG_OF_A_PART: Final = r"\U0001f3f4[\U000e0030-\U000e007a]++\U000e007f"
# Groups of three digits: "1,000", "1.000", "1’000" and "1 000" (with a no-break space) are 1000.
_GROUPED: Final = r"(?<![\p{L}\p{N}])\d{1,3}(?:[.,'’_\u00a0\u2009\u202f]\d{3})+(?![\p{L}\p{N}])"
_TOKEN: Final = regex.compile(
    rf"""(?V1)
      (?P<emoji> \p{{Regional_Indicator}}{{2}} | {_FLAG_OF_A_PART} | {_EMOJI}{_EMOJI_PARTS}*+ | {_KEYCAP} )
    | (?P<sign> {_SIGN} )
    | (?P<number> {_GROUPED} )
    | {_SYLLABLE}{_INSIDE}*+
    | {_UNSPACED_WORD}{_INSIDE}*+
    | (?: [[{_LETTER}\p{{N}}]--{_UNSPACED_WORD}]{_INSIDE}*+ )++
    """,
    regex.VERBOSE,
)
_WORDS: Final = regex.compile(
    rf"(?V1){_UNSPACED_WORD}{_MARK}*+|(?:[[\p{{L}}\p{{N}}]--{_UNSPACED_WORD}--[{_APOSTROPHES}]]{_MARK}*+)++"
)
# Marks that are optional in these scripts; kana, Indic and other scripts need theirs.
_OPTIONAL_MARKS: Final = regex.compile(
    r"(?V1)[[\p{Mn}\p{Me}]&&[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Latin}\p{Script=Greek}"
    r"\p{Script=Cyrillic}\p{Script=Inherited}]--[\u3099\u309a]]+|\u0640+"
)
_NOT_IN_EMOJI: Final = regex.compile(r"[\ufe0f\p{Emoji_Modifier}]+")
# Letters that Unicode does not decompose, although people type them without their strokes and hooks, or as the nearest
# letter of their keyboard; and kaf, yeh and heh as Persian and Urdu keyboards type them, and yeh without dots.
_SAME_LETTERS: Final = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "þ": "th", "ð": "d"}
    | {"ə": "a", "ǝ": "e", "ɛ": "e", "ɔ": "o", "ɨ": "i", "ʉ": "u", "ŋ": "n", "ɲ": "n", "ŧ": "t", "ǥ": "g", "ƒ": "f"}
    | {"ɓ": "b", "ɖ": "d", "ɗ": "d", "ƙ": "k", "ʋ": "v", "ƴ": "y"}
    | {"\u06a9": "\u0643", "\u06cc": "\u064a", "\u0649": "\u064a", "\u06c1": "\u0647"}
)


class Token(NamedTuple):
    """A folded word and its position in the text."""

    word: str
    start: int
    end: int


def nfkc_casefold(text: str) -> str:
    """The text in the form in which identifiers are compared: toNFKC_Casefold, Unicode Standard, section 3.13.
    Idempotent."""
    while True:
        decomposed = unicodedata2.normalize("NFKD", _IGNORABLE.sub("", text))
        folded = unicodedata2.normalize("NFKC", _IGNORABLE.sub("", decomposed.casefold()))
        if folded == text:
            return str(folded)
        text = folded


def tokens(text: str, *, start: int = 0) -> Iterator[Token]:
    """The words of a text from `start` on, folded: without case, optional marks, tatweel, soft hyphens and the like.

    Scripts without spaces are split into characters, so that a part of a sentence finds it; so is Hangul, because
    particles follow its words without a space. An emoji is one word, without its skin tone; an emoji joined from
    several is several words.
    """
    for found in _TOKEN.finditer(text, start):
        first, end = found.span()
        for word in _words_of(found):
            yield Token(word, first, end)


def fold_words(text: str) -> str:
    """The words of a text in the form in which they are indexed and compared, separated by single spaces."""
    return " ".join(token.word for token in tokens(text))


def _words_of(found: regex.Match[str]) -> list[str]:
    """The folded words of a token: folding can split a character into several, which then share its position."""
    written = found[0]
    match found.lastgroup:
        case "emoji":
            return [_NOT_IN_EMOJI.sub("", written)]
        case "sign":
            return [written]
        case "number":
            return ["".join(_digit(character) for character in written if character.isdecimal())]
    if written.isascii():  # most words; folding them does nothing else
        return [written.lower()]
    return _folded_words(written)


@lru_cache(maxsize=4096)  # texts in scripts without spaces have a token for every character
def _folded_words(written: str) -> list[str]:
    return _WORDS.findall(fold_word(written))


def fold_word(word: str) -> str:
    """A word without case, optional marks, and strokes and hooks of letters."""
    unmarked = _without_marks(without_ignorable(word)).casefold()  # would make a letter of an iota subscript
    composed = unicodedata2.normalize("NFC", _without_marks(unmarked)).translate(_SAME_LETTERS)
    return "".join(map(_digit, composed))


def without_ignorable(text: str) -> str:
    """The text without invisible characters, such as joiners and zero-width spaces."""
    return _IGNORABLE.sub("", text)


def without_optional_marks(text: str) -> str:
    """The text without separate marks that its scripts can do without."""
    return _OPTIONAL_MARKS.sub("", text)


def _without_marks(word: str) -> str:
    return without_optional_marks(unicodedata2.normalize("NFKD", word))


def _digit(character: str) -> str:
    """A decimal digit of any script as an ASCII digit; other characters stay as they are."""
    return character if character.isascii() or not character.isdecimal() else str(unicodedata2.decimal(character))
