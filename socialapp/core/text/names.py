"""People's names, such as full names: on one line, and without effect on the text around them."""

from typing import Final

import regex
import unicodedata2

# Characters that change the direction of the text after them (UAX #9: embeddings, overrides, isolates); marks may stay.
_DIRECTION: Final = "\u202a-\u202e\u2066-\u2069"
_TURNS_TEXT: Final = regex.compile(f"[{_DIRECTION}]+")
_NOT_ONE_LINE: Final = regex.compile(rf"(?V1)[\p{{Cc}}\p{{Cs}}\p{{Zl}}\p{{Zp}}\ufff9-\ufffb{_DIRECTION}]")
_DIRECTIONAL: Final = {"R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI", "PDF", "PDI"}
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"  # first strong isolate … pop directional isolate


def is_one_line(name: str) -> bool:
    """Whether a name has no line breaks, no control characters and nothing that changes the direction of other text."""
    return _NOT_ONE_LINE.search(name) is None


def isolated(name: str) -> str:
    """A name for use inside a sentence: whatever its direction, the sentence keeps its own (UAX #9, FSI).

    A name that has no direction other than left to right stays as it is.
    """
    if name.isascii() or all(unicodedata2.bidirectional(character) not in _DIRECTIONAL for character in name):
        return name
    return f"{_ISOLATE}{without_turns(name)}{_END_ISOLATE}"


def without_turns(text: str) -> str:
    """A text without characters that change the direction of what follows, for a line that others embed in theirs."""
    return _TURNS_TEXT.sub("", text)


def one_line(text: str) -> str:
    """A text as one line, without control characters and without what changes the direction of other text.

    Joiners stay: Persian, Sinhala and emoji are spelled with them.
    """
    return " ".join(_NOT_ONE_LINE.sub(" ", without_turns(text)).split())
