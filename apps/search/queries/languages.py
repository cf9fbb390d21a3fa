"""What a word matches besides itself: its stem, its synonyms, and names that are one typo away.

Stems are computed here and not by the index, so that both back ends find the same. A stem includes its language, as
it means nothing in another one: the stem of "running" in an English text is the term `en:run`.
"""

from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock

import Stemmer
from django.conf import settings

from socialapp.core.text.folding import fold_words

# The languages whose words are stemmed: ISO 639-1 code → algorithm of the stemmer.
_STEMMERS = {
    "ar": "arabic",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "hi": "hindi",
    "id": "indonesian",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
    "ru": "russian",
    "tr": "turkish",
}

_STEMMED_WORD = 40
_NAME_WORD = range(5, 21)  # letters of the words in names that are found despite a typo
_NAME_WORDS = 8

Words = tuple[str, ...]

_stemming = Lock()  # a stemmer serves one thread at a time


def stems(words: Iterable[str], *, language: str) -> list[str]:
    """The stems of the words of a text, each once. Text of unknown language in Latin letters is treated as English."""
    distinct = set(words)
    chosen = language or ("en" if all(word.isascii() for word in distinct if word.isalpha()) else "")
    if chosen not in _STEMMERS:
        return []
    return sorted({_stem(chosen, word) for word in distinct if _is_stemmed(word)})


def stems_of_query(word: str) -> list[str]:
    """The stems of a searched word, in each language."""
    return sorted({_stem(language, word) for language in _STEMMERS}) if _is_stemmed(word) else []


def synonyms(words: Words) -> list[Words]:
    """Synonyms, from the file `SEARCH_SYNONYMS`."""
    return _synonyms(settings.SEARCH_SYNONYMS).get(words, [])


def variants(word: str) -> list[str]:
    """The word, and its variants with one letter dropped: two words that share one of these are one letter apart.

    Source: the symmetric delete algorithm, https://github.com/wolfgarbe/SymSpell. Short and very long words have none,
    nor do words with digits: "route66" is not a misspelled "route67".
    """
    if len(word) not in _NAME_WORD or any(letter.isdigit() for letter in word):
        return []
    return sorted({word, *(word[:index] + word[index + 1 :] for index in range(len(word)))})


def variants_of_name(words: Iterable[str]) -> list[str]:
    """The variants of the words of a name, each once."""
    named = [found for word in dict.fromkeys(words) if (found := variants(word))][:_NAME_WORDS]
    return sorted({variant for found in named for variant in found})


def _is_stemmed(word: str) -> bool:
    return word.isalpha() and len(word) <= _STEMMED_WORD


@lru_cache(maxsize=65_536)
def _stem(language: str, word: str) -> str:
    with _stemming:
        return f"{language}:{_stemmer(language).stemWord(word)}"


@cache
def _stemmer(language: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(_STEMMERS[language])


@cache
def _synonyms(path: str) -> dict[Words, list[Words]]:
    """Parses lines of comma-separated synonyms; `#` begins a comment."""
    groups: dict[Words, list[Words]] = {}
    for line in Path(path).read_text(encoding="utf-8").splitlines() if path else []:
        group = [tuple(fold_words(term).split()) for term in line.partition("#")[0].split(",")]
        for term in filter(None, group):
            groups.setdefault(term, []).extend(other for other in group if other and other != term)
    return groups
