"""Folding of words, which search compares."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialapp.core.text.folding import fold_words, tokens

ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
SCOTLAND = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"),
        ("café", "cafe\u0301"),
        ("Ærø", "aero"),
        ("كِتَابَة", "كتابة"),
        ("كـــتاب", "كتاب"),
        ("أحمد", "احمد"),
        ("שָׁלוֹם", "שלום"),
        ("ܫܠܵܡܵܐ", "ܫܠܡܐ"),
        ("soft\u00adhyphen", "softhyphen"),
        ("zero\u200bwidth", "zerowidth"),
        ("می\u200cخواهم", "میخواهم"),
        ("क्\u200dष", "क्ष"),
        ("don’t", "don't"),
        ("1,000", "1000"),
        ("1.000.000", "1’000’000"),
        ("10\u00a0000", "10000"),
        ("٢٠٢٦", "2026"),
        ("ＡＢＣ", "abc"),
        ("は\u3099", "ば"),
        ("ｶﾞｷﾞﾊﾟ", "ガギパ"),
        ("㍻", "平成"),
        ("10㎏", "10kg"),
        ("㈱", "株"),
        ("⼀", "一"),
        ("ᾠδή", "ωδη"),
        ("کتابی", "كتابي"),
        ("على", "علي"),
        ("ہم", "هم"),
        ("\u1112\u1161\u11ab\u1100\u116e\u11a8", "한국"),
        ("하\u11ab", "한"),
        ("❤\ufe0f", "❤"),
        ("👍🏽", "👍"),
        ("*\ufe0f\u20e3", "*\u20e3"),
        ("ⓗⓔⓛⓛⓞ", "hello"),
        ("น้ำ", "น\u0e49\u0e4d\u0e32"),
        ("ນ້ຳ", "ນ\u0ec9\u0ecd\u0eb2"),
        ("Oʻzbekiston", "O'zbekiston"),
        ("п\u02bcять", "п’ять"),
        ("ʿAlī", "Ali"),
        ("Ŋuŋu Kɔfi", "nunu kofi"),
        ("Ƙasa Ɓera Ɗan Ƴar", "kasa bera dan yar"),
        ("1\ufe0f\u20e3", "1\u20e3"),
        ("#\ufe0f\u20e3", "#\u20e3"),
        ("↔\ufe0f", "↔"),
    ],
)
def test_spellings_of_the_same_words_are_equal(one: str, other: str) -> None:
    """Such as other cases, accents, widths and kinds of punctuation."""
    assert fold_words(one) == fold_words(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("が", "か"),
        ("หน้า", "หนา"),
        ("🎉", "🎊"),
        ("🇩🇪", "🇫🇷"),
        (ENGLAND, SCOTLAND),
        (ENGLAND, "🏴"),
        ("1\ufe0f\u20e3", "1"),
        ("1\ufe0f\u20e3", "2\ufe0f\u20e3"),
        ("1,5", "15"),
        ("क", "की"),
        ("한", "하"),
        ("น้ำ", "นำ"),
        ("‼\ufe0f", "⁉\ufe0f"),
        ("‼\ufe0f", "‼"),
        ("™\ufe0f", "©\ufe0f"),
        ("ℹ\ufe0f", "i"),
        ("Ⓜ\ufe0f", "m"),
        ("*\ufe0f\u20e3", ""),
    ],
)
def test_different_words_stay_different(one: str, other: str) -> None:
    """Marks that make a different letter, different emoji, and numbers with a fraction."""
    assert fold_words(one) != fold_words(other)


def test_a_text_is_split_into_words() -> None:
    """One token per word, per character of a script without spaces, and per emoji, with its position."""
    text = "Red kites: 東京🦚🦜 한국어 1,000!"
    assert [(token.word, text[token.start : token.end]) for token in tokens(text)] == [
        ("red", "Red"),
        ("kites", "kites"),
        ("東", "東"),
        ("京", "京"),
        ("🦚", "🦚"),
        ("🦜", "🦜"),
        ("한", "한"),
        ("국", "국"),
        ("어", "어"),
        ("1000", "1,000"),
    ]


@given(st.text(st.characters(codec=None, categories=None)))
def test_folded_words_are_safe_and_folding_is_idempotent(text: str) -> None:
    """Folding is idempotent, words contain no spaces or query syntax, and positions are in order."""
    folded = fold_words(text)
    assert fold_words(folded) == folded
    assert not set(folded.replace("*\u20e3", "")) & set("\"'()*:-^\n\t")
    places = [(token.start, token.end) for token in tokens(text)]
    assert places == sorted(places)
