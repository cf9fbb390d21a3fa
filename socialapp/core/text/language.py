"""Detects the language of a text."""

from functools import cache
from threading import Lock
from typing import Any

import gcld3

# The languages that are distinguished: ISO 639-1 code → name in English.
LANGUAGES = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian",
    "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "nb": "Norwegian", "nl": "Dutch",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "th": "Thai",
    "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
_NAMED_OTHERWISE = {"iw": "he", "no": "nb", "ms": "id"}  # by the detector; it confuses Malay with Indonesian

_SURE = 0.8  # the probability from which the result is trusted
_GUESSED = 0.3  # and from which it is used where a wrong one does no harm
_DETECTED_BYTES = 1000

_lock = Lock()  # the detector releases the GIL and is not documented to be thread-safe


def detect_language(text: str) -> str:
    """The ISO 639-1 code of a text's language; empty if the text is too short, or its language not in `LANGUAGES`."""
    found = _detected(text)
    return _code(found) if found is not None and found.is_reliable and found.probability >= _SURE else ""


def guess_language(text: str) -> str:
    """Like `detect_language`, but for sorting: returns the likeliest language of a short text; empty without
    letters."""
    found = _detected(text)
    return _code(found) if found is not None and found.probability >= _GUESSED else ""


def _detected(text: str) -> Any:
    """The detector's result; None for a text without letters, for which it would guess too."""
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
