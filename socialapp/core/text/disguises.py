"""The words behind disguises: marks that no language writes, and letters of another script that look the same.

Only words that nobody would write otherwise are read differently: "śpàm" has letters of different languages, and "spam"
with a Cyrillic letter has two scripts. But "año" is not "ano", nor is a Russian word the English one that looks alike.
"""

from functools import partial
from itertools import product
from typing import Final

import regex
import unicodedata2

from socialapp.core.text.folding import fold_word, nfkc_casefold, without_ignorable, without_optional_marks

_SCRIPTS: Final = ("Latin", "Cyrillic", "Greek")
_WORD: Final = regex.compile(r"[\p{L}\p{M}]++")
_UNDISGUISED: Final = regex.compile(
    r"(?V1)[a-zA-Z]++|\p{Script=Cyrillic}++|\p{Script=Greek}++"
    r"|[\p{L}--[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]]++"
)
_OF_SCRIPT: Final = {script: regex.compile(rf"\p{{Script={script}}}") for script in _SCRIPTS}
_CYRILLIC: Final = (
    "\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0405\u0422\u0425\u0423"
    "\u0430\u0432\u0441\u0501\u0435\u043d\u04bb\u0456\u0458\u043a\u04cf\u043c\u043e\u0440\u051b\u0455\u0442\u0475\u051d\u0445\u0443"
)
_GREEK: Final = (
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u03b1\u03b2\u03b3\u03b5\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c3\u03c4\u03c5\u03c7\u03c9"
)
# What the letters look like, in order. Source: Unicode Technical Standard #39, confusables, and small letters like
# their capitals.
_LATIN: Final = {
    "Cyrillic": dict(zip(_CYRILLIC, "ABCEHIJKMOPSTXYabcdehhijklmopqstvwxy", strict=True)),
    "Greek": dict(zip(_GREEK, "ABEZHIKMNOPTYXabyenikuvopotuxw", strict=True)),
}


def _into(script: str) -> dict[str, str]:
    """The letters of the other scripts that look like letters of this one."""
    if script == "Latin":
        return {letter: latin for letters in _LATIN.values() for letter, latin in letters.items()}
    own = {latin: letter for letter, latin in reversed(_LATIN[script].items())}
    others = (letters for name, letters in _LATIN.items() if name != script)
    return own | {letter: own[latin] for letters in others for letter, latin in letters.items() if latin in own}


_INTO: Final = {script: str.maketrans(_into(script)) for script in _SCRIPTS}
_TONES: Final = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
_VIETNAMESE: Final = "đ" + unicodedata2.normalize("NFC", "".join(map("".join, product("aăâeêioôơuưy", _TONES))))
# The letters that languages use besides those of ASCII. Source: CLDR, exemplar characters.
_ALPHABETS: Final = [
    frozenset(letters)
    for letters in (
        "áéíñóúü",  # Spanish
        "áâãàçéêíóôõúü",  # Portuguese
        "àçèéíïòóúü",  # Catalan
        "àâæçèéêëîïôœùûüÿ",  # French
        "àèéìíîòóùú",  # Italian
        "äöüßáàâéèêëíïóôúû",  # German, Dutch
        "åäöæøéèêàáóòôšžõü",  # Danish, Finnish, Norwegian, Swedish, Estonian
        "áðéíóúýþæöø",  # Faroese, Icelandic
        "ąćęłńóśźż",  # Polish
        "áäčďéěíĺľňóôŕřšťúůýž",  # Czech, Slovak
        "áéíóöőúüű",  # Hungarian
        "ăâîșțşţ",  # Romanian
        "čćđšž",  # Bosnian, Croatian, Serbian, Slovenian
        "çəğıöşüâîû",  # Azerbaijani, Turkish
        "āčēģīķļņšūž",  # Latvian
        "ąčęėįšųūž",  # Lithuanian
        "ċġħżàèìòù",  # Maltese
        "áàâäéèêëíìîïóòôöúùûüýŵŷ",  # Gaelic, Irish, Welsh
        "ĉĝĥĵŝŭ",  # Esperanto
        "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜü",  # Hawaiian, Māori, Pinyin
        "ẹọṣàáèéìíòóùúńǹḿ",  # Yoruba
        "ɓɗƙƴ",  # Hausa
        _VIETNAMESE,
    )
]


def readings(text: str) -> list[str]:
    """The text in the form of `nfkc_casefold`, and what its disguised words can be read as, in each script."""
    plain = nfkc_casefold(text)
    if plain.isascii():
        return [plain]
    written = unicodedata2.normalize("NFKC", without_ignorable(text))
    read = [nfkc_casefold(_WORD.sub(partial(_read, script), written)) for script in _SCRIPTS]
    return list(dict.fromkeys([plain, *read]))


def _read(script: str, found: regex.Match[str]) -> str:
    """A word as it can be read in a script."""
    word = found[0]
    if _UNDISGUISED.fullmatch(word):
        return word
    scripts = [name for name in _SCRIPTS if _OF_SCRIPT[name].search(word)]
    is_mixed = len(scripts) > 1
    letters = unicodedata2.normalize("NFD", word)
    if is_mixed and script in scripts:
        letters = letters.translate(_INTO[script])
    # Marks that do not compose with their letters belong to no alphabet.
    plain = without_optional_marks(unicodedata2.normalize("NFC", letters))
    is_disguised = script == "Latin" and script in scripts and (is_mixed or not _is_spelled(plain))
    return fold_word(plain) if is_disguised else plain


def _is_spelled(word: str) -> bool:
    """Whether a language has all letters of a word in Latin script."""
    foreign = {letter for letter in word.lower() if not letter.isascii()}
    return any(foreign <= alphabet for alphabet in _ALPHABETS)
