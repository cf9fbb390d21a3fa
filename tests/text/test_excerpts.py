"""Beginnings and parts of texts, which are cut between characters as readers see them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialapp.core.text.excerpts import boundary_before, shortened

ANY_TEXT = st.text(st.characters(codec=None, categories=None))
FAMILY = "👨\u200d👩\u200d👧"


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("red kite", "red kite"),
        ("red kites", "red kit…"),
        ("red\n\tkite", "red kite"),
        ("redden kite", "redden…"),
        (f"abcd{FAMILY}", "abcd…"),
        (f"ab{FAMILY}cd", f"ab{FAMILY}…"),
        ("abcdef🇩🇪 x", "abcdef…"),
        ("abcdef👍🏽 x", "abcdef…"),
        ("abcdefe\u0301 x", "abcdef…"),
        ("abcdef1\ufe0f\u20e3 x", "abcdef…"),
        ("abcdef각".replace("각", "\u1100\u1161\u11a8") + " x", "abcdef…"),
        ("กำกำกำกำกำ", "กำกำกำ…"),
        ("नमस्ते दुनिया", "नमस्ते…"),
        ("a" + "\u0301" * 200, "a" + "\u0301" * 6 + "…"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\u202eb\x00c\u2028d", "ab c d"),
    ],
)
def test_a_text_is_shortened_between_characters(text: str, short: str) -> None:
    """To one line of at most eight, in which joiners stay and what turns the text around it does not."""
    assert shortened(text, length=8) == short


@given(ANY_TEXT, st.integers(1, 200))
def test_a_short_text_is_no_longer_than_allowed(text: str, length: int) -> None:
    """And shortening it again changes nothing."""
    short = shortened(text, length=length)
    assert len(short) <= length
    assert shortened(short, length=length) == short


@given(ANY_TEXT, st.integers(0, 300))
def test_a_boundary_is_never_after_the_position(text: str, position: int) -> None:
    """And not far before it."""
    assert position - 64 < boundary_before(text, position=position) <= position
