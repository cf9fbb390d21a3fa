"""What disguised words can be read as."""

import pytest

from socialapp.core.text.disguises import readings


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Plain", ["plain"]),
        ("Вот ёлка, мой май", ["вот ёлка, мой май"]),
        ("Việt Nam, où ça, żółć, Đường, naïve", ["việt nam, où ça, żółć, đường, naïve"]),
        ("日本語 한국어 ไทย हिन्दी", ["日本語 한국어 ไทย हिन्दी"]),
        ("śpàm", ["śpàm", "spam"]),
        ("śpàm and año", ["śpàm and año", "spam and año"]),
        ("łøđą", ["łøđą", "loda"]),
        ("z\u0337a\u0327", ["z\u0337a\u0327", "za"]),
        ("s\u0440am", ["s\u0440am", "spam", "\u0455\u0440\u0430\u043c"]),
        ("S\u0420AM", ["s\u0440am", "spam", "\u0455\u0440\u0430\u043c"]),
    ],
)
def test_only_disguised_words_are_read_differently(text: str, read: list[str]) -> None:
    assert readings(text) == read


@pytest.mark.parametrize("text", ["a" * 10_000 + "é", "a\u0430" * 5_000, "a" + "\u0301" * 9_999, "a\u200b" * 5_000])
def test_long_words_have_readings(text: str) -> None:
    assert 1 <= len(readings(text)) <= 3
