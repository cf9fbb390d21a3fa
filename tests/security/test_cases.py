"""The reported cases about HTTP and accounts, each with similar ones; those about text are in `tests/text`."""

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from apps.search.queries import parse
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

Register = Callable[..., Person]
PASSWORD = "correct horse battery"


def sign_up(**fields: Any) -> Any:
    """The response to a registration with these fields."""
    given = {"username": "newcomer", "email": "newcomer@example.org", "password": PASSWORD, **fields}
    return JsonClient().post("/v1/auth/register", {name: value for name, value in given.items() if value is not ...})


def refused(answer: Any) -> list[tuple[str, str]]:
    """Field and code of each error of a 422."""
    assert answer.status_code == 422, answer.content
    return [(error["field"], error["code"]) for error in answer.json()["errors"]]


INVISIBLE = [
    "\u3164", "\uffa0", "\u2800", "\u034f", "\ufe0f", "\u0301", "\u0903", "\u20dd", "\u200b", "\u2060",
    "\u00ad", "\u180e", "\ufeff", "\u061c", "\u200e\u200f", "\u202a\u202c", "\U000e0001", "\U000e0100", "\U0001d159",
    "\U0001d173", "\u2800 \u0301",
]  # fmt: skip
VISIBLE = ["\u06dd", "\u0600", "\u070f", "\u08e2", "\U000110bd", "🎉", "・", "⠁", "٭", "\ufffd", "\ue000"]


def test_invisible_texts_are_refused(register: Register) -> None:
    """In contents and names, new and changed."""
    alice = register("alice")
    post_id = alice.client.post("/v1/posts", {"content": "x"}).json()["id"]
    for text in INVISIBLE:
        for answer in (
            alice.client.post("/v1/posts", {"content": text}),
            alice.client.patch(f"/v1/posts/{post_id}", {"content": text}),
            alice.client.post(f"/v1/posts/{post_id}/comments", {"content": text}),
            alice.client.patch("/v1/profiles/me", {"full_name": text}),
            sign_up(full_name=text),
        ):
            assert [code for _, code in refused(answer)] in (["blank"], ["not_one_line"]), ascii(text)
    for text in VISIBLE:
        assert alice.client.post("/v1/posts", {"content": text}).status_code == 201, ascii(text)
        assert alice.client.patch("/v1/profiles/me", {"full_name": text}).json()["full_name"] == text
    assert alice.client.patch("/v1/profiles/me", {"full_name": ""}).json()["full_name"] == "", (
        "a name can be taken away"
    )


@pytest.mark.parametrize(
    ("typed", "again", "status"),
    [
        ("Zürcher Käsefondue é9", "NFD", 200),
        ("한국어비밀번호 123", "NFD", 200),
        ("ẛ̣ correct horse", "NFD", 200),
        ("Å ngstrom cheese", "Å ngstrom cheese", 200),
        ("correct\u3000horse\u00a0b9", "correct horse b9", 200),
        (" leading space 9", "leading space 9", 401),
        ("ＷＩＤＥ horse gate", "WIDE horse gate", 401),
        ("ﬁrst ligature 9z", "first ligature 9z", 401),
        ("Upper Horse Gate9", "upper horse gate9", 401),
    ],
)
def test_a_password_is_normalized_across_keyboards(typed: str, again: str, status: int) -> None:
    """Other normal forms and spaces are the same password; other widths, cases and ligatures are not."""
    assert sign_up(password=typed).status_code == 201
    sent = unicodedata.normalize("NFD", typed) if again == "NFD" else again
    answer = JsonClient().post("/v1/auth/login", {"login": "newcomer", "password": sent})
    assert answer.status_code == status


QUOTED = [
    "“red kite”", "„red kite“", "„red kite”", "«red kite»", "»red kite«", "‹red kite›", "‟red kite”", "＂red kite＂",
    "❝red kite❞", "「red kite」", "『red kite』", "〝red kite〞", "‘red kite’", "‚red kite‘", "« red kite »",
    "«\u00a0red kite\u00a0»", "“red kite",
]  # fmt: skip


@pytest.mark.parametrize("typed", QUOTED)
def test_quotation_marks_of_every_keyboard_make_a_phrase(typed: str) -> None:
    """`tests/search` tests that a phrase is searched as one."""
    assert parse(f"m {typed}").root == parse('m "red kite"').root
    assert parse(f"m -{typed}").root == parse('m -"red kite"').root


def test_an_apostrophe_is_not_a_quotation_mark() -> None:
    """Inside words, and before an abbreviated one."""
    assert parse("don’t").words == parse("don't").words
    assert not any(phrase.quoted for phrase in parse("the dogs’ bowls, rock ’n’ roll, ‘tis").phrases)


@pytest.mark.parametrize(
    "name",
    [
        "admin.", "_admin", "a.d.m.i.n", "moderator_", "ADMIN", "_moderator_", "r.oot", "sup_port", "adm1n", ".bob",
        "bob.", "...", "__", "ab", "ädmin", "аdmin", "ａｄｍｉｎ", "admin\u200b", "a dmin", "bob\n",
        "bob ",
    ],
)  # fmt: skip
def test_reserved_usernames_are_refused(name: str) -> None:
    """They are rejected, and no account is created."""
    assert {field for field, _ in refused(sign_up(username=name))} == {"username"}
    assert (
        JsonClient().post("/v1/auth/login", {"login": "newcomer@example.org", "password": PASSWORD}).status_code == 401
    )


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ('{now}, "999-0123456789abcdef"', 200),
        ('"999-0123456789abcdef",{now}', 200),
        ('W/"1-0123456789abcdef" , {now}', 200),
        ("{now},", 200),
        (', ,{now} , "x"', 200),
        ('"a,b", {now}', 200),
        ("*", 200),
        ('"999-0123456789abcdef"', 412),
        ("W/{now}", 412),
        ('""', 412),
        ("{now} {now}", 400),
        ("*, {now}", 400),
        ("1", 400),
        ('"1', 400),
        (",", 400),
        ("", 400),
    ],
)
def test_if_match_follows_rfc_9110(register: Register, header: str, status: int) -> None:
    """According to RFC 9110, 13.1.1, on everything that can be edited; a rejected edit changes nothing."""
    alice = register("alice")
    post_id = alice.client.post("/v1/posts", {"content": "first"}).json()["id"]
    comment_id = alice.client.post(f"/v1/posts/{post_id}/comments", {"content": "first"}).json()["id"]
    for path, field in (
        (f"/v1/posts/{post_id}", "content"),
        (f"/v1/comments/{comment_id}", "content"),
        ("/v1/profiles/me", "bio"),
    ):
        before = alice.client.get(path)
        sent = header.replace("{now}", before.headers["ETag"])
        assert alice.client.patch(path, {field: "second"}, If_Match=sent).status_code == status, path
        assert (alice.client.get(path).json()[field] == "second") is (status == 200)
        refused_read = alice.client.get(path, If_Match='"999-0123456789abcdef"')
        assert (refused_read.status_code, refused_read.json()["code"]) == (412, "stale")


def test_if_none_match_follows_rfc_9110(register: Register) -> None:
    """Weak comparison, lists, and edits that require that the object does not exist or has changed."""
    alice = register("alice")
    path = f"/v1/posts/{alice.client.post('/v1/posts', {'content': 'first'}).json()['id']}"
    tag = alice.client.get(path).headers["ETag"]
    for sent, status in ((tag, 304), (f"W/{tag}", 304), (f'"x",W/{tag}', 304), ("*", 304), ('"x"', 200), ("x", 200)):
        assert alice.client.get(path, If_None_Match=sent).status_code == status, sent
    for method in ("PATCH", "DELETE"):
        for sent in ("*", tag, f"W/{tag}", f'"x",{tag}'):
            answer = alice.client.request(method, path, {"content": "second"}, If_None_Match=sent)
            assert (answer.status_code, answer.json()["code"]) == (412, "stale"), (method, sent)
    both = alice.client.patch(path, {"content": "second"}, If_Match=tag, If_None_Match=tag)
    assert both.status_code == 412, "both have to hold"
    assert alice.client.get(path).json()["content"] == "first"
    assert alice.client.patch(path, {"content": "second"}, If_Match=tag, If_None_Match='"x"').status_code == 200
    assert alice.client.patch(path, {"content": "third"}, If_None_Match=tag).status_code == 200, "it has changed"


def test_a_reporter_is_not_notified_of_a_removal_when_the_author_deleted(
    register: Register, drain: Callable[[], int]
) -> None:
    alice, bob = register("alice"), register("bob")
    post_id = alice.client.post("/v1/posts", {"content": "x"}).json()["id"]
    drain()
    comment_id = alice.client.post(f"/v1/posts/{post_id}/comments", {"content": "y"}).json()["id"]
    other = alice.client.post("/v1/posts", {"content": "z"}).json()["id"]
    for kind, target in (("comment", comment_id), ("post", post_id), ("post", other), ("user", alice.id)):
        report = {"target_type": kind, "target_id": target, "reason": "spam"}
        assert bob.client.post("/v1/reports", report).status_code == 201
    alice.client.delete(f"/v1/comments/{comment_id}")
    alice.client.delete(f"/v1/posts/{post_id}")
    assert alice.client.delete("/v1/auth/me", {"password": PASSWORD}).status_code == 202
    drain()
    reports = bob.client.get("/v1/reports").json()["results"]
    assert [(report["status"] == "open", report["outcome"]) for report in reports] == [(False, "gone")] * 4
    messages = [item["message"] for item in bob.client.get("/v1/notifications").json()["results"]]
    assert not [message for message in messages if "removed" in message.lower()], messages


def test_idempotency_keys_of_anonymous_clients_are_separate(settings: Any) -> None:
    """Keys are separate per address, for IPv6 per network; the same address gets its own response again."""
    settings.TRUSTED_PROXIES = 1
    body = {"username": "newcomer", "email": "newcomer@example.org", "password": PASSWORD}

    def ask(address: str) -> Any:
        return JsonClient().post("/v1/auth/register", body, Idempotency_Key="one", X_Forwarded_For=address)

    first = ask("2001:db8:1:1::1")
    assert first.status_code == 201
    assert ask("2001:db8:1:1::2").content == first.content
    for stranger in ("2001:db8:1:2::1", "192.0.2.1"):
        answer = ask(stranger)
        assert answer.status_code == 409, "the name is taken, and nothing of the first answer is seen"
        assert "access" not in answer.json()


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"username": "a", "email": "x", "password": "1"}, {"username", "email", "password"}),
        ({"username": 1, "email": None, "password": []}, {"username", "email", "password"}),
        ({"username": ..., "email": ..., "password": ...}, {"username", "email", "password"}),
        ({"username": "a b", "email": "x@", "password": "short", "full_name": "\u3164", "more": 1},
         {"username", "email", "password", "full_name", "more"}),
        ({"username": "admin", "email": 5, "password": PASSWORD}, {"username", "email"}),
    ],
)  # fmt: skip
def test_all_invalid_fields_of_a_registration_are_reported(fields: dict[str, Any], named: set[str]) -> None:
    """Whether a field is malformed or its value is not allowed."""
    assert {field for field, _ in refused(sign_up(**fields))} == named


def test_the_username_of_a_deleted_account_stays_reserved(register: Register, drain: Callable[[], int]) -> None:
    """In every spelling; `tests/auth` tests for how long."""
    bob = register("bob_the")
    assert bob.client.delete("/v1/auth/me", {"password": PASSWORD}).status_code == 202
    drain()
    for name in ("bob_the", "BOB_THE", "Bob_The"):
        answer = sign_up(username=name)
        assert (answer.status_code, answer.json()["code"]) == (409, "username_taken"), name
