"""Bugs with text that users of other servers have reported, tested through the HTTP API."""

import unicodedata
from collections.abc import Callable

import pytest

from socialapp.core.text.names import isolated
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

Register = Callable[..., Person]
Drain = Callable[[], int]


def post(author: Person, content: str) -> dict[str, object]:
    """Writes a post."""
    answer = author.client.post("/v1/posts", {"content": content})
    assert answer.status_code == 201, answer.content
    body: dict[str, object] = answer.json()
    return body


def notified(person: Person) -> list[str]:
    """The kinds of the person's notifications, newest first."""
    return [item["kind"] for item in person.client.get("/v1/notifications").json()["results"]]


@pytest.mark.parametrize(
    ("content", "tags"),
    [
        ("see https://example.org/faq-(long)#install now", []),
        ("https://example.org/p?#frag", []),
        ("https://example.org/a.#frag", []),
        ("https://example.org/x?q=#frag", []),
        ("https://example.org/a=#frag", []),
        ("#کتاب\u200cخانه", ["کتاب\u200cخانه"]),
        ("#ශ්\u200dරී_ලංකා", ["ශ්\u200dරී_ලංකා"]),
        ("#paral·lel", ["paral·lel"]),
        ("#ハリー・ポッター", ["ハリー・ポッター"]),
        ("＃東京", ["東京"]),
        ("﹟tokyo", ["tokyo"]),
    ],
)
def test_hashtags_of_a_post_are_found(register: Register, anonymous: JsonClient, content: str, tags: list[str]) -> None:
    """Not in URLs, in all scripts, and with joiners; the post is listed under each of its hashtags."""
    made = post(register("alice"), content)
    assert made["hashtags"] == tags
    for tag in tags:
        assert [found["id"] for found in anonymous.get(f"/v1/hashtags/{tag}/posts").json()["results"]] == [made["id"]]


def test_spellings_of_a_hashtag_are_equal(register: Register, anonymous: JsonClient, drain: Drain) -> None:
    """They share one list, which an edit of the spelling does not change, and one entry in the trending hashtags."""
    alice = register("alice")
    first, second = post(alice, "#Straße"), post(alice, "#STRASSE")
    assert alice.client.patch(f"/v1/posts/{first['id']}", {"content": "#strasse, again"}).status_code == 200
    for tag in ("straße", "STRASSE", "ｓｔｒａｓｓｅ"):
        listed = anonymous.get(f"/v1/hashtags/{tag}/posts").json()["results"]
        assert [found["id"] for found in listed] == [second["id"], first["id"]]
    assert [found["posts_count"] for found in anonymous.get("/v1/hashtags/trending").json()["results"]] == [2]


MENTIONED = [
    "＠bob",
    "@bobさん",
    ".@bob read this",
    "thanks...@bob",
    "谢谢@bob",
    "ありがとう@bob",
    "(@bob)",
    "@bob, @bob.",
]
NOT_MENTIONED = [
    "https://video.example/?user=@bob",
    "https://video.example/a-@bob",
    "https://maps.example/x,@bob,14z",
    "/x,@bob,14z",
    "hi @bob@other.example",
    "@bob:matrix.example",
    "npm i @bob/pkg",
    "@bobé hello",
    "@bobß",
    "@bob-example",
]


@pytest.mark.parametrize("content", MENTIONED)
def test_a_mentioned_person_is_notified(register: Register, drain: Drain, content: str) -> None:
    """In posts and in comments."""
    alice, bob = register("alice"), register("bob")
    made = post(alice, content)
    assert made["mentions"] == [{"id": bob.id, "username": "bob"}]
    assert alice.client.post(f"/v1/posts/{made['id']}/comments", {"content": content}).status_code == 201
    drain()
    assert notified(bob) == ["mention", "mention"]


@pytest.mark.parametrize("content", NOT_MENTIONED)
def test_text_that_only_resembles_a_mention_notifies_nobody(register: Register, drain: Drain, content: str) -> None:
    """In posts and in comments."""
    alice, bob = register("alice"), register("bob")
    made = post(alice, content)
    assert made["mentions"] == []
    assert alice.client.post(f"/v1/posts/{made['id']}/comments", {"content": content}).status_code == 201
    drain()
    assert notified(bob) == []


def test_an_edit_of_a_comment_notifies_newly_mentioned_people(register: Register, drain: Drain) -> None:
    """As with posts: each person once, and nobody who was mentioned before."""
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    comment = alice.client.post(f"/v1/posts/{post(alice, 'x')['id']}/comments", {"content": "hi @bob"}).json()
    drain()
    path = f"/v1/comments/{comment['id']}"
    for content in ("hi @bob and @carol", "hi @carol and @bob, again"):
        assert alice.client.patch(path, {"content": content}).status_code == 200
        drain()
    assert (notified(bob), notified(carol)) == (["mention"], ["mention"])
    target = carol.client.get("/v1/notifications").json()["results"][0]["target"]
    assert (target["type"], target["id"]) == ("comment", comment["id"])


BLANK = ["\u3164", "\u115f", "\u2800", "\u034f", "\ufe0f", "\u0301", "\u200b \u2800\u0301"]


@pytest.mark.parametrize("text", BLANK)
def test_blank_texts_are_rejected(register: Register, anonymous: JsonClient, text: str) -> None:
    """With 422, and nothing is written."""
    alice = register("alice", full_name="Alice")
    made = post(alice, "x")
    calls = [
        alice.client.post("/v1/posts", {"content": text}),
        alice.client.patch(f"/v1/posts/{made['id']}", {"content": text}),
        alice.client.post(f"/v1/posts/{made['id']}/comments", {"content": text}),
        alice.client.patch("/v1/profiles/me", {"full_name": text}),
        anonymous.post(
            "/v1/auth/register",
            {"username": "bob", "email": "bob@example.org", "password": "correct horse battery", "full_name": text},
        ),
    ]
    for answer in calls:
        assert (answer.status_code, [error["code"] for error in answer.json()["errors"]]) == (422, ["blank"])
    assert [found["content"] for found in alice.client.get("/v1/feed").json()["results"]] == ["x"]
    assert alice.client.get(f"/v1/posts/{made['id']}/comments").json()["results"] == []
    assert alice.client.get(f"/v1/profiles/{alice.id}").json()["full_name"] == "Alice"


def test_a_text_with_a_visible_sign_is_accepted(register: Register) -> None:
    """Some format characters are visible."""
    assert post(register("alice"), "\u06dd")["content"] == "\u06dd"


def test_a_password_typed_on_another_keyboard_is_accepted(register: Register, anonymous: JsonClient) -> None:
    """Keyboards compose letters differently. At sign-up, log-in and confirmation."""
    password = "Zürcher Käsefondue é9"
    composed, decomposed = (unicodedata.normalize(form, password) for form in ("NFC", "NFD"))
    assert composed != decomposed
    for name, typed, again in (("alice", composed, decomposed), ("bob", decomposed, composed)):
        person = register(name, password=typed)
        for form in (again, again.replace(" ", "\u00a0")):
            assert anonymous.post("/v1/auth/login", {"login": name, "password": form}).status_code == 200
        changed = person.client.post("/v1/auth/password/change", {"password": again, "new_password": again + typed})
        assert changed.status_code == 204
        assert anonymous.post("/v1/auth/login", {"login": name, "password": typed + again}).status_code == 200
        assert anonymous.post("/v1/auth/login", {"login": name, "password": typed}).status_code == 401


def test_a_password_with_invisible_characters_is_rejected(anonymous: JsonClient) -> None:
    """RFC 8265 forbids invisible characters."""
    body = {"username": "alice", "email": "a@example.org", "password": "correct horse\u00ad battery"}
    answer = anonymous.post("/v1/auth/register", body)
    assert (answer.status_code, [error["code"] for error in answer.json()["errors"]]) == (422, ["password_invalid"])


def test_names_cannot_change_the_direction_of_a_message(register: Register, drain: Drain) -> None:
    """Control characters are rejected in names, and right-to-left names are isolated in messages."""
    alice, bob = register("alice"), register("bob", full_name="بوب")
    for name in ("Bob [\u202e]eman", "Bob\u2066", "Bob\u2028eman"):
        answer = bob.client.patch("/v1/profiles/me", {"full_name": name})
        assert (answer.status_code, [error["code"] for error in answer.json()["errors"]]) == (422, ["not_one_line"])
    made = post(alice, "x")
    assert bob.client.put(f"/v1/posts/{made['id']}/reaction", {"reaction_type": "like"}).status_code == 200
    drain()
    messages = [item["message"] for item in alice.client.get("/v1/notifications").json()["results"]]
    assert messages == [f"{isolated('بوب')} reacted to your post."]
