"""Which language a text is in."""

from functools import cache
from threading import Lock
from typing import Any

import gcld3

# Those that are told apart: ISO 639-1 code → name in English.
LANGUAGES = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian",
    "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "nb": "Norwegian", "nl": "Dutch",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "th": "Thai",
    "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
_NAMED_OTHERWISE = {"iw": "he", "no": "nb", "ms": "id"}  # by the detector; Malay and Indonesian it mixes up

_SURE = 0.8  # the probability from which a language is believed
_GUESSED = 0.3  # and from which it is better than none, where a wrong one does no harm
_DETECTED_BYTES = 1000

_lock = Lock()  # the detector lets other threads run meanwhile, and does not say that they may use it


def detect_language(text: str) -> str:
    """The ISO 639-1 code of the language of a text; empty when it is too short, or not one of `LANGUAGES`."""
    found = _detected(text)
    return _code(found) if found is not None and found.is_reliable and found.probability >= _SURE else ""


def guess_language(text: str) -> str:
    """As `detect_language`, for what a text may be sorted by: of a short one, the likeliest; empty without letters."""
    found = _detected(text)
    return _code(found) if found is not None and found.probability >= _GUESSED else ""


def _detected(text: str) -> Any:
    """What the detector finds; None in a text without letters, where it guesses all the same."""
    if not any(character.isalpha() for character in text):
        return None
    with _lock:
        return _detector().FindLanguage(text)


@cache
def _detector() -> Any:
    return gcld3.NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=_DETECTED_BYTES)


def _code(found: Any) -> str:
    code = _NAMED_OTHERWISE.get(found.language, found.language)
    return code if code in LANGUAGES else ""
