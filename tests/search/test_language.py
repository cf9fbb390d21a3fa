"""The query language and highlights: any input is either parsed or rejected, never a server error."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.search.queries import (
    AllOf,
    AnyOf,
    Criteria,
    From,
    Has,
    Highlighter,
    Language,
    MinReactions,
    Not,
    Phrase,
    Tag,
    Written,
    mark_beginnings,
    mark_tag,
    parse,
)
from socialapp.core.errors import Invalid
from socialapp.core.text.folding import fold_words, tokens
from socialapp.core.text.hashtags import hashtag_key

PIECES = st.sampled_from(
    [
        "from:",
        "before:",
        "after:",
        "has:",
        '"',
        "-",
        "#",
        "media",
        "2026-01-01",
        "0000-00-00",
        "9999-99-99",
        "@",
        " ",
        "\x00",
    ]
)
QUERIES = st.one_of(st.text(max_size=80), st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=20).map("".join))


def mark(text: Any, *phrases: Any) -> Any:
    criteria = Criteria(AllOf(tuple(Phrase(words, quoted=True) for words in phrases)))
    return Highlighter(criteria).mark(text)


def test_full_width_characters_equal_plain_ones() -> None:
    """As Chinese, Japanese and Korean keyboards produce them."""
    typed = "from：ａｌｉｃｅ　－kite （＃東京 ＯＲ before：２０２６－０１－３１）"
    assert parse(typed) == parse("from:alice -kite (#東京 OR before:2026-01-31)")


def test_the_full_width_tilde_is_a_dash_inside_hashtags() -> None:
    """Windows types it for the wave dash."""
    assert parse("#メ～テレ").tags == parse("#メ〜テレ").tags == [hashtag_key("メ～テレ")]


def test_every_kind_of_term_is_parsed() -> None:
    criteria = parse(
        'Café “two words” -bad -"not this" #Tag -#Old from:@Alice from:bob -from:carol'
        " before:2026-02-01 after:2026-01-01 has:media lang:DE min_reactions:10"
    )
    assert criteria.root == AllOf(
        (
            Phrase(("cafe",)),
            Phrase(("two", "words"), quoted=True),
            Not(Phrase(("bad",))),
            Not(Phrase(("not", "this"), quoted=True)),
            Tag("tag"),
            Not(Tag("old")),
            Not(From(("carol",))),
            Written(until=datetime(2026, 2, 1, tzinfo=UTC)),
            Written(since=datetime(2026, 1, 1, tzinfo=UTC)),
            Has("media"),
            Language("de"),
            MinReactions(10),
            From(("alice", "bob")),
        )
    )
    assert criteria.names == ["café"]
    assert criteria.words == ["cafe", "two", "words"]


A, B, C = (Phrase((name,)) for name in "abc")


@pytest.mark.parametrize(
    ("q", "root"),
    [
        ("a b", AllOf((A, B))),
        ("a OR b", AnyOf((A, B))),
        ("a OR b c", AnyOf((A, AllOf((B, C))))),
        ("(a OR b) c", AllOf((AnyOf((A, B)), C))),
        ("(a OR(b c))", AnyOf((A, AllOf((B, C))))),
        ("-(a OR b) c", AllOf((Not(AnyOf((A, B))), C))),
        ("a or b", AllOf((A, Phrase(("or",)), B))),
        ("a ORB", AllOf((A, Phrase(("orb",))))),
        ('"OR"', Phrase(("or",), quoted=True)),
        ("a :) b)", AllOf((A, B))),
        ("((((a))))", A),
        ("a a", A),
        ("?! () -", None),
    ],
)
def test_alternatives_and_parentheses_are_parsed(q: str, root: Any) -> None:
    assert parse(q).root == root


@pytest.mark.parametrize(
    ("q", "code", "place"),
    [
        ("", "blank", None),
        (" \t\n", "blank", None),
        ("x" * 501, "max_length", None),
        ("a " * 21, "too_many_terms", 41),
        ("东" * 33, "too_many_words", 1),
        ("((((( a )))))", "too_deep", 5),
        ("a (b OR c", "syntax", 3),
        ("OR a", "syntax", 1),
        ("a OR", "syntax", 3),
        ("a OR OR b", "syntax", 3),
        ("(a OR ) b", "syntax", 4),
        ("soon before:yesterday", "filter_invalid", 6),
        ("before:2026-13-01", "filter_invalid", 1),
        ("after:20260101", "filter_invalid", 1),
        ("after:", "filter_invalid", 1),
        ("has:wings", "filter_invalid", 1),
        ("from:", "filter_invalid", 1),
        ("from:ünal", "filter_invalid", 1),
        ("lang:xx", "filter_invalid", 1),
        ("a min_reactions:many", "filter_invalid", 3),
        ("min_reactions:-1", "filter_invalid", 1),
    ],
)
def test_invalid_queries_are_rejected_with_the_position(q: Any, code: str, place: int | None) -> None:
    with pytest.raises(Invalid) as refused:
        parse(q)
    assert refused.value.status == 422
    (error,) = refused.value.errors
    assert (error.field, error.code) == ("q", code)
    assert error.detail.startswith(f"At character {place}: ") == (place is not None)


@pytest.mark.parametrize("q", ["https://example.org/a:b", "12:30", "to:me", "c++", "don't", 'say "hello'])
def test_text_that_only_resembles_a_filter_is_searched_as_words(q: str) -> None:
    assert parse(q).phrases


@given(QUERIES)
@settings(max_examples=400, deadline=None)
def test_parsing_raises_no_other_error_than_a_rejection(q: Any) -> None:
    try:
        criteria = parse(q)
    except Invalid:
        return
    for word in criteria.words:
        assert word, "an empty word would be a syntax error in FTS5"
        assert '"' not in word, "a quote would end the word in FTS5"
        assert not any(char.isspace() for char in word), "the index splits at spaces"


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_folding_is_idempotent_and_tokens_are_part_of_the_text(text: Any) -> None:
    assert fold_words(fold_words(text)) == fold_words(text), "an indexed text must be found by searching for itself"
    position = 0
    for token in tokens(text):
        assert position <= token.start < token.end <= len(text)
        position = token.start


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ünïcödé CAFÉ cafe\u0301", "unicode cafe cafe"),
        ("smørrebrød Łódź Straße", "smorrebrod lodz strasse"),
        ("東京タワー", "東 京 タ ワ ー"),
        ("snake_case #tag @name", "snake case tag name"),
        ("👍🏽 !? …", "👍"),
        ("🦚🦜", "🦚 🦜"),
        ("كِتَابَة كتــابة", "كتابة كتابة"),
        ("שָׁלוֹם", "שלום"),
        ("हिन्दी", "हिन्दी"),
        ("nul\x00byte", "nul byte"),
    ],
)
def test_words_are_compared_ignoring_case_accents_and_punctuation(text: str, words: str) -> None:
    assert fold_words(text) == words


def test_highlights_escape_everything_except_the_marks() -> None:
    marked = mark('<a> & B "x y" b', ("b",), ("x", "y"))
    assert marked == "&lt;a&gt; &amp; <em>B</em> &quot;<em>x y</em>&quot; <em>b</em>"
    assert mark("nothing", ("b",)) is None
    assert mark_beginnings(text="Álice Alison <Bob>", words=["ali"]) == "<em>Álice</em> <em>Alison</em> &lt;Bob&gt;"
    assert mark_tag(tag="summer", prefixes=["sum", "s"]) == "#<em>sum</em>mer"
    assert mark_tag(tag="straße", prefixes=["strass"]) == "#<em>straß</em>e"
    assert mark_tag(tag="ශ්\u200dරී", prefixes=["ශ්රී", "ශ්ර"]) == "#<em>ශ්\u200dරී</em>"
    assert mark_tag(tag="straße", prefixes=["straß"]) is None


def test_highlights_mark_the_longest_matching_phrase_and_inflected_words() -> None:
    assert mark("a b c d", ("a",), ("a", "b", "c"), ("a", "b")) == "<em>a b c</em> d"
    assert Highlighter(parse("running")).mark("She runs, we ran") == "She <em>runs</em>, we ran"


def test_highlights_of_long_texts_are_excerpts_around_the_first_match() -> None:
    marked = mark("a " * 500 + "needle" + " b" * 500, ("needle",))
    assert marked is not None
    assert "<em>needle</em>" in marked
    assert marked.startswith("…")
    assert marked.endswith("…")
    assert len(marked) < 300


def test_highlights_of_long_texts_cut_no_emoji() -> None:
    family = "👨\u200d👩\u200d👧"
    for filler in range(6):
        marked = mark(f"{family * 100}{'.' * filler} needle {family * 100}", ("needle",))
        assert marked is not None
        assert set(regex.findall(r"\X", marked)) <= {family, *"…. <em>needle</em>"}


def test_highlights_stop_when_the_budget_of_a_page_is_exhausted() -> None:
    highlighter = Highlighter(parse("needle"))
    texts = ["x" * 4_999 + " needle"] * 20
    marked = [highlighter.mark(text) is not None for text in texts]
    assert marked == [True] * 11 + [False] * 9


@given(
    st.text(alphabet="aAbr1,0 _-ä\u0301’\u00a0\u00adſ٣か🪁\u2002«“…\n", max_size=40),
    st.lists(st.text("abr10", min_size=1, max_size=3), min_size=1),
)
@settings(max_examples=300, deadline=None)
def test_indexed_highlighting_equals_highlighting_word_by_word(text: str, words: list[str]) -> None:
    phrases = (Phrase(tuple(words), quoted=True), *(Phrase((word,)) for word in words))
    highlighter, word_by_word = (Highlighter(Criteria(AllOf(phrases))) for _ in range(2))
    word_by_word._piece = re.compile(".+", re.DOTALL)
    assert list(highlighter._spans(text)) == list(word_by_word._spans_from_pieces(text))


@given(st.text(alphabet="aAb1,0 _-ä’'.", max_size=20), st.lists(st.text("ab10", min_size=1, max_size=3), min_size=1))
@settings(max_examples=300, deadline=None)
def test_beginnings_are_marked_wherever_a_word_has_one(text: str, words: list[str]) -> None:
    has_one = any(token.word.startswith(tuple(words)) for token in tokens(text))
    assert (mark_beginnings(text=text, words=words) is not None) == has_one


@given(st.text(max_size=60), st.text(alphabet="ab<&é ", min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_highlights_never_contain_html_from_the_text(text: Any, q: Any) -> None:
    words = tuple(token.word for token in tokens(q))
    for marked in (mark(text, words) if words else None, mark_beginnings(text=text, words=list(words))):
        bare = (marked or "").replace("<em>", "").replace("</em>", "")
        assert "<" not in bare
        assert ">" not in bare
