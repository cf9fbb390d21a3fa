"""Hashtags and mentions: examples from many scripts, and properties over all of Unicode."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from socialapp.core.text.folding import nfkc_casefold
from socialapp.core.text.hashtags import find_hashtags, hashtag_key, hashtag_name, leading_hashtag
from socialapp.core.text.mentions import find_mentions
from socialapp.core.text.urls import find_urls, link_hosts, without_urls
from tests.text.table import HASHTAGS, MENTIONS, WITHOUT_HASHTAGS

ANY_TEXT = st.text(st.characters(codec=None, categories=None))
TAGS = [tag for tags in HASHTAGS.values() for tag in tags]
# Random text with many signs, joiners, dots and parts of URLs.
DENSE = st.lists(
    st.sampled_from(
        ["#", "＃", "@", "＠", "bob", "é", "東", "·", "\u200d", ".", "/", ":", "://", "(", ")", " ", "1", "\u0301"]
    )
).map("".join)


def test_the_table_covers_many_scripts() -> None:
    """At least 200 examples in 30 scripts."""
    assert len(HASHTAGS) >= 30
    assert len(TAGS) + len(MENTIONS) + len(WITHOUT_HASHTAGS) >= 200


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("sign", ["#", "﹟", "＃"])
def test_a_hashtag_is_the_whole_word(tag: str, sign: str) -> None:
    """In any script and next to any punctuation."""
    for text in (
        f"{sign}{tag}",
        f"({sign}{tag})",
        f"see {sign}{tag}, please",
        f"🎉{sign}{tag}🎉",
        f"{sign}{tag}. {sign}{tag}",
    ):
        assert find_hashtags(text, limit=30) == [tag]
    assert leading_hashtag(tag + " and more") == hashtag_key(tag)


@pytest.mark.parametrize("text", WITHOUT_HASHTAGS)
def test_text_that_only_resembles_a_hashtag_is_ignored(text: str) -> None:
    """Numbers, marks, fragments of URLs and character references."""
    assert find_hashtags(text, limit=30) == []


@pytest.mark.parametrize(("text", "names"), MENTIONS)
def test_mentions_are_found(text: str, names: list[str]) -> None:
    """Or none."""
    assert find_mentions(text, limit=30) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("#Straße #STRASSE #strasse", ["straße"]),
        ("#کتاب\u200cخانه #کتابخانه", ["کتاب\u200cخانه"]),
        ("#ＴＯＫＹＯ #tokyo", ["tokyo"]),
        ("#երևան #երեւան", ["երևան"]),
        ("#น้ำ #น้\u0e4d\u0e32", ["น้ำ"]),
        ("#メ～テレ #メ〜テレ", ["メ〜テレ"]),
        ("#བོད\u0f0cཡིག #བོད\u0f0bཡིག", ["བོད\u0f0bཡིག"]),
        ("#楽しい〜 #וכו׳, #בית־ #བོད་", ["楽しい", "וכו׳", "בית", "བོད"]),
        ("#CAFÉ #cafe\u0301 #cafe", ["café", "cafe"]),
        ("#foo· #bar\u200d x", ["foo", "bar"]),
        ("#one#two", ["one"]),
        ("#東京#大阪", ["東京", "大阪"]),
        ("今日#東京", ["東京"]),
        ("ｺﾝﾊﾟ#東京 ｺﾋｰ#大阪", ["東京", "大阪"]),
        ("#" + "a" * 101 + " #" + "b" * 100, ["b" * 100]),
    ],
)
def test_hashtags_are_compared_ignoring_case_width_and_joiners(text: str, names: list[str]) -> None:
    """The first spelling is shown."""
    assert find_hashtags(text, limit=30) == names


def test_the_number_of_names_is_limited() -> None:
    """The first ones are used."""
    assert find_hashtags("#a #b #c", limit=2) == ["a", "b"]
    assert find_mentions("@aaa @bbb @ccc", limit=2) == ["aaa", "bbb"]


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("see https://example.org/faq-(long)#install now", ["https://example.org/faq-(long)#install"]),
        ("(https://example.org/a)", ["https://example.org/a"]),
        ("https://example.org/a, and example.org/b.", ["https://example.org/a", "example.org/b"]),
        ("看https://example.org/#a。好", ["https://example.org/#a"]),
        ("<https://example.org/?a=[1]>", ["https://example.org/?a=[1]"]),
        ("at xn--e1afmkfd.xn--p1ai/a, 192.0.2.1/b or v1.2.3.4.5/6", ["xn--e1afmkfd.xn--p1ai/a", "192.0.2.1/b"]),
        ("example.org?q=1 either/or 1.5/2 Mr.Smith", ["example.org?q=1"]),
        ("http:// x", []),
        ("راجع https://example.org/a؟ و https://example.org/b، و", ["https://example.org/a", "https://example.org/b"]),
        ("https://example.org/a। https://example.org/b։", ["https://example.org/a", "https://example.org/b"]),
        ("‹https://example.org/a›, ｢https://example.org/b｣", ["https://example.org/a", "https://example.org/b"]),
        ("‘https://example.org/O’Reilly’", ["https://example.org/O’Reilly"]),
        ("http://[2001:db8::1]:80/a!", ["http://[2001:db8::1]:80/a"]),
    ],
)
def test_urls_are_found(text: str, urls: list[str]) -> None:
    """With their start and end."""
    assert [text[start:end] for start, end in find_urls(text)] == urls


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("see https://www.Example.org:80/a, b.example/c", ["www.example.org", "b.example"]),
        ("https://example.org./a", ["example.org"]),
        ("https://user:word@example.org", ["example.org"]),
        ("https://a@b.example@example.org", ["example.org"]),
        ("https://example.org\\@b.example", ["example.org"]),
        ("https:///example.org", ["example.org"]),
        ("http://[2001:db8::1]:80/", ["[2001:db8::1]"]),
        ("http://2130706433/ http://localhost/", ["2130706433", "localhost"]),
        ("https://ex%61mple%2Eorg", ["example.org"]),
        ("https://ｅxample.org", ["example.org"]),
        ("https://exa\u00admple.org", ["example.org"]),
        ("https://faß.example", ["xn--fa-hia.example"]),
        ("https://👻.example", ["👻.example"]),
        ("/a/b mailto:bob file:///a/b 10:30", []),
    ],
)
def test_hosts_of_links_are_found_as_browsers_read_them(text: str, hosts: list[str]) -> None:
    """In the form in which resolvers compare them."""
    assert link_hosts(text) == hosts


@given(ANY_TEXT | DENSE)
@example("ΐ\u0345")
@example("\u1e9e\u0345\u0301")
def test_keys_are_idempotent(text: str) -> None:
    """A key is its own key, and a hashtag's shown name has the key of the written one."""
    key = nfkc_casefold(text)
    assert nfkc_casefold(key) == key
    assert hashtag_key(hashtag_name(text)) == key


@given(ANY_TEXT | DENSE)
def test_a_found_hashtag_or_mention_is_found_on_its_own(text: str) -> None:
    """As a text of its own, a found hashtag or mention is found again; both have a maximal length."""
    for name in find_hashtags(text, limit=30):
        assert 0 < len(name) <= 100
        assert [hashtag_key(found) for found in find_hashtags(f"#{name}", limit=30)] == [hashtag_key(name)]
    for name in find_mentions(text, limit=20):
        assert 3 <= len(name) <= 30
        assert find_mentions(f"@{name}", limit=20) == [name]


@given(ANY_TEXT | DENSE)
def test_urls_do_not_overlap_and_are_in_order(text: str) -> None:
    """Spans do not overlap, stay within the text, and blanking them keeps all positions."""
    spans = find_urls(text)
    assert len(without_urls(text)) == len(text)
    bounds = [0, *(bound for span in spans for bound in span), len(text)]
    assert bounds == sorted(bounds)


@given(DENSE)
def test_hashtags_and_mentions_inside_urls_are_ignored(path: str) -> None:
    """In the path, query and fragment."""
    address = "https://example.org/" + path.replace(" ", "").replace(")", "")
    assert find_mentions(address, limit=9) == []
    assert find_hashtags(address, limit=9) == []
