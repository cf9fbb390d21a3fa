"""Which language a text is in."""

from typing import Any

import whatlang

# Those that are told apart: ISO 639-1 code → (code of the detector, name in English).
_KNOWN = {
    "ar": ("ara", "Arabic"), "cs": ("ces", "Czech"), "da": ("dan", "Danish"), "de": ("deu", "German"),
    "el": ("ell", "Greek"), "en": ("eng", "English"), "es": ("spa", "Spanish"), "fa": ("pes", "Persian"),
    "fi": ("fin", "Finnish"), "fr": ("fra", "French"), "he": ("heb", "Hebrew"), "hi": ("hin", "Hindi"),
    "hu": ("hun", "Hungarian"), "id": ("ind", "Indonesian"), "it": ("ita", "Italian"), "ja": ("jpn", "Japanese"),
    "ko": ("kor", "Korean"), "nb": ("nob", "Norwegian"), "nl": ("nld", "Dutch"), "pl": ("pol", "Polish"),
    "pt": ("por", "Portuguese"), "ro": ("ron", "Romanian"), "ru": ("rus", "Russian"), "sv": ("swe", "Swedish"),
    "th": ("tha", "Thai"), "tr": ("tur", "Turkish"), "uk": ("ukr", "Ukrainian"), "vi": ("vie", "Vietnamese"),
    "zh": ("cmn", "Chinese"),
}  # fmt: skip
_OF_DETECTOR = {found: code for code, (found, _) in _KNOWN.items()}
LANGUAGES = {code: name for code, (_, name) in _KNOWN.items()}

_SURE = 0.3  # the detector's confidence from which a language is believed
_GUESSED = 0.01  # and from which it is better than none, where a wrong one does no harm
_DETECTED_CHARACTERS = 1000


def detect_language(text: str) -> str:
    """The ISO 639-1 code of the language of a text; empty when it is too short, or not one of `LANGUAGES`."""
    return _detected(text, confidence=_SURE)


def guess_language(text: str) -> str:
    """As `detect_language`, for what a text may be sorted by: of a short one, the likeliest; empty without letters."""
    return _detected(text, confidence=_GUESSED)


def _detected(text: str, *, confidence: float) -> str:
    try:
        found: Any = whatlang.detect(text[:_DETECTED_CHARACTERS])
    except ValueError:  # there are no letters in it
        return ""
    return _OF_DETECTOR.get(found.lang, "") if found.confidence >= confidence else ""
