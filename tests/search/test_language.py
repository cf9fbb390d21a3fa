"""The query language and the highlights: whatever is typed is either understood or refused, never a fault."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.search.queries.highlight import mark_beginnings, mark_phrases, mark_tag
from apps.search.queries.language import Criteria, folded, parse, tokens
from socialapp.core.errors import Invalid

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


def test_understands_every_kind_of_term():
    criteria = parse(
        'Café "two words" -bad -"not this" #Tag -#Old from:@Alice -from:bob'
        " before:2026-02-01 after:2026-01-01 has:media"
    )
    assert criteria == Criteria(
        phrases=[("cafe",), ("two", "words")],
        tags=["tag"],
        authors=["alice"],
        without_phrases=[("bad",), ("not", "this")],
        without_tags=["old"],
        without_authors=["bob"],
        before=datetime(2026, 2, 1, tzinfo=UTC),
        after=datetime(2026, 1, 1, tzinfo=UTC),
        has_media=True,
        names=["café"],
    )


@pytest.mark.parametrize(
    ("q", "code"),
    [
        ("", "blank"),
        (" \t\n", "blank"),
        ("x" * 501, "max_length"),
        ("a " * 41, "too_many_terms"),
        ("before:yesterday", "filter_invalid"),
        ("before:2026-13-01", "filter_invalid"),
        ("after:20260101", "filter_invalid"),
        ("after:", "filter_invalid"),
        ("has:wings", "filter_invalid"),
        ("from:", "filter_invalid"),
        ("from:ünal", "filter_invalid"),
        ("-has:media", "filter_invalid"),
    ],
)
def test_refuses_what_it_cannot_understand(q, code):
    with pytest.raises(Invalid) as refused:
        parse(q)
    assert refused.value.status == 422
    assert [(error.field, error.code) for error in refused.value.errors] == [("q", code)]


@pytest.mark.parametrize("q", ["https://example.org/a:b", "12:30", "to:me", "c++", "don't", 'say "hello'])
def test_what_only_looks_like_a_filter_is_words(q):
    assert parse(q).phrases


@given(QUERIES)
@settings(max_examples=400, deadline=None)
def test_never_raises_anything_but_a_refusal(q):
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
def test_folding_is_stable_and_tokens_lie_in_the_text(text):
    assert folded(folded(text)) == folded(text), "what is indexed must be found by itself"
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
        ("👍 !? …", ""),
        ("हिन्दी", "हिन्दी"),
        ("nul\x00byte", "nul byte"),
    ],
)
def test_words_are_compared_without_case_accents_and_punctuation(text, words):
    assert folded(text) == words


def test_highlights_escape_everything_but_the_marks():
    criteria = Criteria(phrases=[("b",), ("x", "y")])
    assert mark_phrases('<a> & B "x y" b', criteria) == "&lt;a&gt; &amp; <em>B</em> &quot;<em>x y</em>&quot; <em>b</em>"
    assert mark_phrases("nothing", criteria) is None
    assert mark_beginnings("Álice Alison <Bob>", ["ali"]) == "<em>Álice</em> <em>Alison</em> &lt;Bob&gt;"
    assert mark_tag("summer", ["sum", "s"]) == "#<em>sum</em>mer"


def test_highlights_of_long_texts_are_excerpts_around_the_first_match():
    marked = mark_phrases("a " * 500 + "needle" + " b" * 500, Criteria(phrases=[("needle",)]))
    assert marked is not None
    assert "<em>needle</em>" in marked
    assert marked.startswith("…")
    assert marked.endswith("…")
    assert len(marked) < 300


@given(st.text(max_size=60), st.text(alphabet="ab<&é ", min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_highlights_are_never_html(text, q):
    criteria = Criteria(phrases=[tuple(token.word for token in tokens(q))])
    for marked in (mark_phrases(text, criteria), mark_beginnings(text, criteria.words)):
        bare = (marked or "").replace("<em>", "").replace("</em>", "")
        assert "<" not in bare
        assert ">" not in bare
