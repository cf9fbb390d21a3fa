"""Searching: results, order, pagination and rejected queries."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from socialapp.contracts.posts import Posts
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.search.conftest import Searching

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

GARBAGE = [
    '"', '""', "-", "--", "*", "NEAR(a b)", "a AND", "OR", "NOT a", "col:a", "a*", "^a", "{a}", "(", ")))",
    "+", "#", "##a", "@", "\\", "\x00", "a\x00b", "'; DROP TABLE search_posts; --", "%", "%%s", "_", "\ud7ff",
    "🎉", "a" * 500, "/.*/", "[a TO b]", "a~2", "a^3", "<script>", '"unclosed', "-#", "-@", ":", "::", "from",
    "has", "#(", "#a|b", "#.*", "\u202e", "\u0301",
]  # fmt: skip
UNREADABLE = {"OR", "("}  # an operator without operands and an unclosed group: rejected with their position


def day(offset: Any) -> Any:
    return (datetime.now(UTC) + timedelta(days=offset)).date().isoformat()


def test_posts_are_found_newest_first_ignoring_case_and_accents(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    for content in ("Café au lait", "A CAFE in Rome", "tea only"):
        searching.post(people["alice"], content)
    searching.settle()
    assert searching.contents(anonymous, "café") == ["A CAFE in Rome", "Café au lait"]
    assert searching.contents(anonymous, "CAFE lait") == ["Café au lait"]
    assert searching.contents(anonymous, "coffee") == []


def test_phrases_exclusions_and_tags(searching: Searching, people: dict[str, Person], anonymous: JsonClient) -> None:
    for content in ("big red dog", "red big dog #pets", "red cat #Pets", "blue bird #wild"):
        searching.post(people["alice"], content)
    searching.settle()
    assert searching.contents(anonymous, '"red dog"') == ["big red dog"]
    assert searching.contents(anonymous, "red -cat") == ["red big dog #pets", "big red dog"]
    assert searching.contents(anonymous, 'dog -"red big"') == ["big red dog"]
    assert searching.contents(anonymous, "#pets") == ["red cat #Pets", "red big dog #pets"]
    assert searching.contents(anonymous, "red -#pets") == ["big red dog"]
    assert searching.contents(anonymous, "-red") == ["blue bird #wild"]


def test_text_in_scripts_without_spaces_is_found_by_a_part(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    searching.post(people["alice"], "東京タワーへ行く")
    searching.settle()
    assert searching.contents(anonymous, "タワー") == ["東京タワーへ行く"]
    assert searching.contents(anonymous, "京東") == []


def test_korean_words_are_found_without_their_particles(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    searching.post(people["alice"], "한국어를 배웁니다")
    searching.settle()
    for q in ("한국", "한국어", '"한국어를 배"', "\u1112\u1161\u11ab\u1100\u116e\u11a8"):
        assert searching.contents(anonymous, q) == ["한국어를 배웁니다"], q
    assert searching.contents(anonymous, "국한") == []


def test_posts_can_be_filtered_by_author_and_day(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    searching.post(people["alice"], "hello from alice")
    searching.post(people["bob"], "hello from bob")
    searching.settle()
    both = ["hello from bob", "hello from alice"]
    assert searching.contents(anonymous, "hello from:alice") == ["hello from alice"]
    assert searching.contents(anonymous, "FROM:@Alice") == ["hello from alice"]
    assert searching.contents(anonymous, "from:alice from:bob") == both
    assert searching.contents(anonymous, "hello -from:bob") == ["hello from alice"]
    assert searching.contents(anonymous, "hello from:nobody") == []
    assert searching.contents(anonymous, f"hello before:{day(1)} after:{day(0)}") == both
    assert searching.contents(anonymous, f"hello before:{day(0)}") == []
    assert searching.contents(anonymous, f"hello after:{day(1)}") == []
    assert searching.contents(anonymous, "hello before:9999-12-31 after:0001-01-01") == both


def test_posts_can_be_filtered_by_media(searching: Searching, people: dict[str, Person], anonymous: JsonClient) -> None:
    from dataclasses import replace

    from apps.search import actions

    plain, pictured = (int(searching.post(people["alice"], f"holiday {n}")) for n in (1, 2))
    searching.settle()
    document = client(Posts).documents(post_ids=[pictured])[0]
    actions.index_posts(documents=[replace(document, has_media=True, version=document.version + 1)])
    searching.settle()
    assert searching.contents(anonymous, "holiday has:media") == ["holiday 2"]
    assert plain != pictured


def test_users_are_found_by_name_prefixes_and_words_of_their_bio(
    searching: Searching, register: Callable[..., Person], anonymous: JsonClient
) -> None:
    ada = register("ada_l", full_name="Ada Lovelace")
    register("adam", full_name="Adam Émile")
    ada.client.patch("/v1/profiles/me", {"bio": "Analytical engines, Bakı şəhəri"})
    searching.settle()
    assert searching.names(anonymous, "ada love") == ["ada_l"]
    assert searching.names(anonymous, "emil") == ["adam"]
    assert searching.names(anonymous, "engines") == ["ada_l"]
    assert searching.names(anonymous, "engin") == []
    assert searching.names(anonymous, "ŞƏHƏRİ") == ["ada_l"]
    assert searching.names(anonymous, "ada -adam") == ["ada_l"]
    assert searching.names(anonymous, "ada has:media") == []


def test_names_without_spaces_are_found_by_a_part(
    searching: Searching, register: Callable[..., Person], anonymous: JsonClient
) -> None:
    """Not by the same characters in another order or with other marks: 田中 and 中田 are different names."""
    names = {"tanaka": "田中 太郎", "nakata": "中田英寿", "minsu": "김민수", "sumin": "김수민", "somchai": "น้ำใจ"}
    for username, full_name in names.items():
        register(username, full_name=full_name)
    kyoto = register("kyoto_visitor", full_name="Visitor")
    kyoto.client.patch("/v1/profiles/me", {"bio": "京都が好き、東大卒"})
    searching.settle()
    found = {
        "田中": ["tanaka"], "田中太郎": ["tanaka"], "太郎 田中": ["tanaka"], "中田": ["nakata"], "민수": ["minsu"],
        "김수": ["sumin"], "น้ำ": ["somchai"], "นำใจ": [], "京都": ["kyoto_visitor"], "東京": [],
    }  # fmt: skip
    for q, usernames in found.items():
        assert searching.names(anonymous, q) == usernames, q
        suggested = anonymous.get(f"/v1/search/suggest?q={quote(q)}").json()["results"]
        named = [result["item"]["username"] for result in suggested]
        assert named == [name for name in usernames if name in names], q


def test_hyphenated_names_are_found_by_their_beginning_and_despite_a_typo(
    searching: Searching, register: Callable[..., Person], anonymous: JsonClient
) -> None:
    register("somebody", full_name="Mary Jane Watson-Parker")
    register("other", full_name="Parker Watson")
    searching.settle()
    assert searching.names(anonymous, "watson-par") == ["somebody", "other"], "in this order first"
    assert searching.names(anonymous, "parker-watson") == ["other", "somebody"]
    assert searching.names(anonymous, "watsen-parker") == ["other", "somebody"]
    suggested = anonymous.get("/v1/search/suggest?q=mary%20watson-p").json()["results"]
    assert [result["item"]["username"] for result in suggested] == ["somebody"]


def test_users_are_sorted_by_match_then_by_followers(
    searching: Searching, register: Callable[..., Person], anonymous: JsonClient
) -> None:
    people = [register(name) for name in ("sam", "samuel", "samantha", "other")]
    people[3].client.patch("/v1/profiles/me", {"full_name": "Sam Other"})
    for follower, followed in ((0, 2), (1, 2), (0, 3), (1, 3), (2, 3), (2, 1)):
        assert people[follower].client.put(f"/v1/profiles/{people[followed].id}/follow").status_code == 200
    searching.settle()
    assert searching.names(anonymous, "sam") == ["sam", "samantha", "samuel", "other"]


def test_hashtags_are_counted_over_public_posts(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    alice, bob = people["alice"], people["bob"]
    for content in ("#summer", "#summer and #summit", "#winter"):
        searching.post(alice, content)
    searching.post(bob, "#summer", is_private=True)
    searching.settle()
    assert searching.tags(anonymous, "sum") == [("summer", 2), ("summit", 1)]
    assert searching.tags(anonymous, "#SUMMI") == [("summit", 1)]
    assert searching.tags(bob.client, "sum") == [("summer", 2), ("summit", 1)], "only public posts are counted"
    assert bob.client.put(f"/v1/profiles/{alice.id}/block").status_code == 200
    searching.settle()
    assert searching.tags(bob.client, "sum") == [], "posts hidden from the caller are not counted"


def test_hashtags_are_shown_as_the_newest_post_has_them(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    """Their keys lack joiners and sharp s."""
    for content in ("#strasse", "#Straße", "#ශ්\u200dරී_ලංකා", "#น้ำ"):
        searching.post(people["alice"], content)
    searching.settle()
    assert searching.tags(anonymous, "stra") == [("straße", 2)]
    assert searching.tags(anonymous, "#ශ්\u200dරී") == [("ශ්\u200dරී_ලංකා", 1)]
    suggested = anonymous.get(f"/v1/search/suggest?q={quote('#น้ำ')}").json()["results"]
    assert [(result["item"]["name"], result["highlight"]) for result in suggested] == [("น้ำ", "#<em>น้ำ</em>")]


def test_results_have_a_type_the_item_and_a_highlight(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    post_id = searching.post(people["alice"], "<b>alice</b> & #alice")
    searching.settle()
    results = searching.page(anonymous, "alice")["results"]
    assert [result["type"] for result in results] == ["user", "hashtag", "post"]
    assert results[0]["item"] == anonymous.get(f"/v1/profiles/{people['alice'].id}").json()
    assert results[0]["highlight"] == "<em>alice</em>"
    assert results[1]["item"] == {"name": "alice", "posts_count": 1}
    assert results[1]["highlight"] == "#<em>alice</em>"
    assert results[2]["item"] == anonymous.get(f"/v1/posts/{post_id}").json()
    assert results[2]["highlight"] == "&lt;b&gt;<em>alice</em>&lt;/b&gt; &amp; #<em>alice</em>"


def test_users_and_hashtags_are_suggested_by_prefix(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    searching.post(people["bob"], "#alpha #beta al")
    people["carol"].client.patch("/v1/profiles/me", {"bio": "al"})
    searching.settle()

    def suggested(q: Any) -> list[Any]:
        answer = anonymous.get(f"/v1/search/suggest?q={quote(q)}")
        assert answer.status_code == 200
        items = [(result["type"], result["item"]) for result in answer.json()["results"]]
        return [item.get("username") or item["name"] for _, item in items]

    assert suggested("al") == ["alice", "alpha"]
    assert suggested("@al") == ["alice"]
    assert suggested("#al") == ["alpha"]
    assert suggested("b") == ["bob", "beta"]
    assert suggested("zzz") == []
    limited = anonymous.get("/v1/search/suggest?q=al&limit=1").json()["results"]
    assert len(limited) == 1


@pytest.mark.parametrize(
    "query",
    ["", "q=", "q=%20", "q=a&type=people", "q=before:never", "q=has:wings", "q=from:", f"q={'a' * 501}"],
)
def test_invalid_queries_are_rejected_with_a_problem(searching: Searching, anonymous: JsonClient, query: str) -> None:
    answer = anonymous.get(f"/v1/search?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in ("q", "type")


def test_foreign_cursors_are_rejected(searching: Searching, people: dict[str, Person], anonymous: JsonClient) -> None:
    for cursor in ("x", "W10", "eyJhIjoxfQ", "WyJuIiwiYSJd", "WyJuIiwxLDIsM10"):
        assert anonymous.get(f"/v1/search?q=a&type=posts&cursor={cursor}").status_code == 400
    assert anonymous.get("/v1/search?q=a&limit=0").status_code == 400
    assert anonymous.get("/v1/search/suggest?q=").status_code == 422


def test_no_query_causes_a_server_error(searching: Searching, people: dict[str, Person]) -> None:
    searching.post(people["alice"], "a b c #a")
    searching.settle()
    for q in GARBAGE:
        for kind in ("", "&type=users", "&type=posts", "&type=hashtags"):
            answer = people["bob"].client.get(f"/v1/search?q={quote(q)}{kind}")
            expected = 422 if q in UNREADABLE else 200
            assert answer.status_code == expected, f"{q!r}{kind}: {answer.content}"
        assert people["bob"].client.get(f"/v1/search/suggest?q={quote(q)}").status_code == 200, repr(q)
    for raw in ("%ff", "%ed%a0%80", "%00", "a%ffb"):
        assert people["bob"].client.get(f"/v1/search?q={raw}").status_code == 200, raw


@pytest.mark.parametrize("kind", ["posts", ""])
def test_pages_of_posts_neither_skip_nor_repeat_while_more_are_written(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient, kind: str
) -> None:
    written = [searching.post(people["alice"], f"page {number}") for number in range(7)]
    searching.settle()
    seen, url, pages = [], f"/v1/search?q=page&limit=3&type={kind}", []
    while url:
        body = anonymous.get(url).json()
        pages.append([result["item"]["id"] for result in body["results"]])
        seen += pages[-1]
        searching.post(people["bob"], "page of later")
        searching.settle()
        url, last = body["next"], body
    assert seen == list(reversed(written))
    back = anonymous.get(last["previous"]).json()
    assert [result["item"]["id"] for result in back["results"]] == pages[-2], "`previous` returns the page before"
    assert back["next"] is not None


def test_pages_of_people_and_hashtags_neither_skip_nor_repeat(
    searching: Searching, register: Callable[..., Person], anonymous: JsonClient
) -> None:
    people = [register(f"walker{number}") for number in range(5)]
    people[0].client.put(f"/v1/profiles/{people[1].id}/follow")
    for number in range(5):
        searching.post(people[0], f"#walk{number} #walk0")
    searching.settle()
    for kind, name in (("users", "username"), ("hashtags", "name")):
        everything = [r["item"][name] for r in searching.page(anonymous, "walk", type=kind)["results"]]
        assert len(everything) == 5
        seen, url = [], f"/v1/search?q=walk&type={kind}&limit=2"
        while url:
            body = anonymous.get(url).json()
            seen += [result["item"][name] for result in body["results"]]
            url, last = body["next"], body
        assert seen == everything
        back = anonymous.get(last["previous"]).json()
        assert [result["item"][name] for result in back["results"]] == everything[2:4]


def test_a_full_mixed_first_page_continues_with_the_posts(
    searching: Searching, people: dict[str, Person], anonymous: JsonClient
) -> None:
    searching.post(people["bob"], "alice was here")
    searching.settle()
    first = searching.page(anonymous, "alice", limit=1)
    assert [result["type"] for result in first["results"]] == ["user"]
    second = anonymous.get(first["next"]).json()
    assert [result["type"] for result in second["results"]] == ["post"]
    assert second["next"] is None


def test_the_number_of_queries_does_not_depend_on_the_page_size(
    searching: Searching, people: dict[str, Person]
) -> None:
    for number in range(50):
        searching.post(people["alice"], f"many {number} #many")
    searching.settle()

    def queries_of(limit: Any) -> Any:
        captures = [CaptureQueriesContext(connections[alias]) for alias in ALL_CONTEXTS]
        for capture in captures:
            capture.__enter__()
        found = searching.page(people["bob"].client, "many", limit=limit, type="posts")["results"]
        for capture in captures:
            capture.__exit__(None, None, None)
        assert len(found) == limit
        return sum(len(capture) for capture in captures)

    queries_of(50)  # fills Redis with the counts of all posts
    assert queries_of(1) == queries_of(50)
