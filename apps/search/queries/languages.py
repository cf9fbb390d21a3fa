"""What a word may stand for besides itself: its stem, its synonyms, and names that are one slip of the finger away.

Stems are made here and not by the index, so that both back ends find the same. A stem carries its language, as a
language's stems mean nothing in another one: the stem of "running" in an English text is the term `en:run`.
"""

from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import Stemmer
import whatlang
from django.conf import settings

from socialapp.core.text.folding import fold_words

# The languages whose words are stemmed: ISO 639-1 code → (code of the detector, algorithm of the stemmer).
_LANGUAGES = {
    "ar": ("ara", "arabic"),
    "de": ("deu", "german"),
    "en": ("eng", "english"),
    "es": ("spa", "spanish"),
    "fr": ("fra", "french"),
    "hi": ("hin", "hindi"),
    "id": ("ind", "indonesian"),
    "it": ("ita", "italian"),
    "nl": ("nld", "dutch"),
    "pt": ("por", "portuguese"),
    "ru": ("rus", "russian"),
    "tr": ("tur", "turkish"),
}
# Languages without stems that `lang:` knows as well.
_OTHER_LANGUAGES = {
    "cs": "ces", "da": "dan", "el": "ell", "fa": "pes", "fi": "fin", "he": "heb", "hu": "hun", "ja": "jpn",
    "ko": "kor", "nb": "nob", "pl": "pol", "ro": "ron", "sv": "swe", "th": "tha", "uk": "ukr", "vi": "vie", "zh": "cmn",
}  # fmt: skip
_OF_DETECTOR = {code: name for name, (code, _) in _LANGUAGES.items()} | {
    code: name for name, code in _OTHER_LANGUAGES.items()
}
LANGUAGE_CODES = frozenset(_OF_DETECTOR.values())

_SURE = 0.3  # the detector's confidence from which a language is believed
_DETECTED_CHARACTERS = 1000
_STEMMED_WORD = 40
_NAME_WORD = range(5, 21)  # letters of the words in names that are found in spite of a slip
_NAME_WORDS = 8

Words = tuple[str, ...]

_stemming = Lock()  # a stemmer serves one thread at a time


def detect_language(text: str) -> str:
    """The ISO 639-1 code of the language of a text; empty when it is too short, or not one of those known."""
    try:
        found: Any = whatlang.detect(text[:_DETECTED_CHARACTERS])
    except ValueError:  # there are no letters in it
        return ""
    return _OF_DETECTOR.get(found.lang, "") if found.confidence >= _SURE else ""


def stems(words: Iterable[str], *, language: str) -> list[str]:
    """The stems of the words of a text, each once. A text of unknown language in Latin letters is taken for English."""
    distinct = set(words)
    chosen = language or ("en" if all(word.isascii() for word in distinct if word.isalpha()) else "")
    if chosen not in _LANGUAGES:
        return []
    return sorted({_stem(chosen, word) for word in distinct if _is_stemmed(word)})


def stems_of_query(word: str) -> list[str]:
    """What a word that somebody searches for may be a form of, in each language."""
    return sorted({_stem(language, word) for language in _LANGUAGES}) if _is_stemmed(word) else []


def synonyms(words: Words) -> list[Words]:
    """Other words for the same, from the file `SEARCH_SYNONYMS`."""
    return _synonyms(settings.SEARCH_SYNONYMS).get(words, [])


def variants(word: str) -> list[str]:
    """The word, and all that is left when one letter is dropped: two words that share one of these are a letter apart.

    Source: the symmetric delete algorithm, https://github.com/wolfgarbe/SymSpell. Short and very long words have none.
    """
    if len(word) not in _NAME_WORD:
        return []
    return sorted({word, *(word[:index] + word[index + 1 :] for index in range(len(word)))})


def variants_of_name(words: Iterable[str]) -> list[str]:
    """The variants of the words of a name, each once."""
    named = [word for word in dict.fromkeys(words) if len(word) in _NAME_WORD][:_NAME_WORDS]
    return sorted({variant for word in named for variant in variants(word)})


def _is_stemmed(word: str) -> bool:
    return word.isalpha() and len(word) <= _STEMMED_WORD


@lru_cache(maxsize=65_536)
def _stem(language: str, word: str) -> str:
    with _stemming:
        return f"{language}:{_stemmer(language).stemWord(word)}"


@cache
def _stemmer(language: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(_LANGUAGES[language][1])


@cache
def _synonyms(path: str) -> dict[Words, list[Words]]:
    """Lines of words that mean the same, separated by commas; `#` begins a comment."""
    groups: dict[Words, list[Words]] = {}
    for line in Path(path).read_text(encoding="utf-8").splitlines() if path else []:
        group = [tuple(fold_words(term).split()) for term in line.partition("#")[0].split(",")]
        for term in filter(None, group):
            groups.setdefault(term, []).extend(other for other in group if other and other != term)
    return groups
