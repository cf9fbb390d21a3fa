"""Any text of 5,000 characters is parsed in linear time."""

import time
from collections.abc import Callable

import pytest

from socialapp.core.text.folding import fold_words, nfkc_casefold
from socialapp.core.text.hashtags import find_hashtags
from socialapp.core.text.mentions import find_mentions
from socialapp.core.text.urls import find_urls
from socialapp.core.text.visible import is_blank

PIECES = [
    "a",
    "#",
    "@",
    "#a",
    " #a",
    " @bob",
    " @bob-x",
    "a.",
    "a.bc?b",
    "/",
    " /(",
    "://",
    "http://",
    " http://x",
    "x://(",
    "()",
    "mailto:",
    "a:1",
    "1,",
    "1,000",
    "·",
    "#a·a",
    "\u200d",
    "\u0301",
    "#\u0301",
    "東",
    " #東é",
    "كِ",
    "ﷺ",
    "ΐ",
    "👨\u200d👩\u200d👧",
    "🇩",
    "\u3164",
]
READERS: list[Callable[[str], object]] = [
    lambda text: find_hashtags(text, limit=30),
    lambda text: find_mentions(text, limit=20),
    find_urls,
    fold_words,
    nfkc_casefold,
    is_blank,
]


def seconds(reader: Callable[[str], object], text: str) -> float:
    """CPU time of the fastest of a few runs, independent of the machine's load."""
    times = []
    for _ in range(5):
        start = time.thread_time()
        reader(text)
        times.append(time.thread_time() - start)
    return min(times)


@pytest.mark.parametrize("piece", PIECES)
def test_parsing_takes_linear_time(piece: str) -> None:
    """Eight times the text takes about eight times as long; a quadratic parser would take 64 times."""
    short, long = piece * (5000 // len(piece)), piece * (40_000 // len(piece))
    for reader in READERS:
        assert seconds(reader, long) < 24 * max(seconds(reader, short), 0.0002)


@pytest.mark.parametrize("piece", PIECES)
def test_five_thousand_characters_are_parsed_in_milliseconds(piece: str) -> None:
    """Mentions, hashtags and visibility of a post take 5 ms; the limit leaves room for slow machines."""
    text = piece * (5000 // len(piece))
    for reader in READERS:
        assert seconds(reader, text) < 0.025
