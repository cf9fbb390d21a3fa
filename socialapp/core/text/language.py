"""A guess at the language of a text, to sort a queue by: from its letters, else from its most frequent words.

No library: those that know many languages bring models of 5 to 100 MB or have no wheels for some platforms, and a wrong
guess costs nothing here.
"""

import re

_SCRIPTS = (
    ("ja", "\u3040-\u30ff"),
    ("ko", "\uac00-\ud7af\u1100-\u11ff"),
    ("zh", "\u4e00-\u9fff"),
    ("ar", "\u0600-\u06ff"),
    ("he", "\u0590-\u05ff"),
    ("el", "\u0370-\u03ff"),
    ("hi", "\u0900-\u097f"),
    ("th", "\u0e00-\u0e7f"),
    ("uk", "\u0456\u0457\u0454\u0491"),
    ("ru", "\u0400-\u04ff"),
)
_WORDS = {
    "en": "the and you are is of to in that it not for this have with what all my your be was they should",
    "de": "der die das und ist nicht ich du ihr sie wir ein eine mit auf für zu den auch seid sind war es",
    "fr": "le la les des et est pas je vous nous une un que qui dans pour sur avec ce il elle sont du",
    "es": "el la los las y es no que de un una por para con su se lo como más pero yo muy está",
    "it": "il la gli che di è non un una per con sono si ma come più questo della anche mi ho",
    "pt": "o a os as e é não que de um uma por para com se do da em mais mas eu você muito está",
    "nl": "de het een en is niet ik je wij zijn van dat met voor op te maar ook was er aan",
    "pl": "i w nie na to się jest że z do co jak ale po tak za od są ja ty być już",
    "sv": "och att det är en ett inte jag du vi som på för med av har den till var så",
    "tr": "ve bir bu için çok ne de da ben sen o değil ile gibi daha var yok ama",
}
_FREQUENT = {language: frozenset(words.split()) for language, words in _WORDS.items()}
LANGUAGES = {
    "ar": "Arabic", "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "fr": "French", "he": "Hebrew",
    "hi": "Hindi", "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "pl": "Polish",
    "pt": "Portuguese", "ru": "Russian", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian",
    "zh": "Chinese",
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")
_LOOKED_AT = 2000  # characters


def guess_language(text: str) -> str:
    """An ISO 639-1 code, one of `LANGUAGES`; "" when nothing speaks for one."""
    beginning = text[:_LOOKED_AT].lower()
    for language, letters in _SCRIPTS:
        if re.search(f"[{letters}]", beginning):
            return language
    words = _WORD.findall(beginning)
    counts = {language: sum(word in known for word in words) for language, known in _FREQUENT.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] else ""
