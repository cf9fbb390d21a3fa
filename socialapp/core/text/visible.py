"""Whether a text shows anything to a reader."""

from typing import Final

import regex

# Invisible characters besides white space and controls: Default_Ignorable_Code_Point (with the Hangul fillers), the
# empty Braille pattern, annotation and hieroglyph controls, the musical null notehead, noncharacters, and marks, which
# need another character to show on.
_VISIBLE: Final = regex.compile(
    r"(?V1)[^\p{White_Space}\p{Cc}\p{Cs}\p{M}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}"
    r"\u2800\ufff9-\ufffb\U00013430-\U0001343f\U0001d159]"
)
_CONTROL: Final = regex.compile(r"(?V1)[\p{Cc}\p{Cs}]")
_CONTROL_BUT_LINES: Final = regex.compile(r"(?V1)[[\p{Cc}\p{Cs}]--[\n\t\r]]")


def is_blank(text: str) -> bool:
    """Whether nothing in the text is visible."""
    return _VISIBLE.search(text) is None


def has_control_characters(text: str, *, multiline: bool) -> bool:
    """Whether there are control characters or surrogates; a text of several lines may have line breaks and tabs."""
    return (_CONTROL_BUT_LINES if multiline else _CONTROL).search(text) is not None
