"""Rules about links, media, rates and new accounts; holding, refusing and silencing; trials; blocks of sign-ups."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from django.conf import settings
from django.utils import timezone

from apps.moderation import actions
from apps.moderation.access import try_rule
from apps.moderation.models import Action, Block, Case, RuleHit, WordRule
from apps.moderation.queries import Target
from apps.posts.models import Media
from socialapp.core import outgoing
from socialapp.core.errors import Invalid
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.moderation.conftest import MODERATOR_ID, Thread, messages

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def keep(kind: str, pattern: str, effect: str, *, is_active: bool = True) -> WordRule:
    """A rule."""
    return actions.set_word_rule(
        moderator_id=MODERATOR_ID, kind=kind, pattern=pattern, effect=effect, is_active=is_active
    )


def write(person: Person, text: str, drain: Callable[[], int]) -> str:
    """The id of a post that was written, with everything that follows from it."""
    made = person.client.post("/v1/posts", {"content": text})
    assert made.status_code == 201, made.content
    drain()
    return str(made.json()["id"])


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("https://spam.example/x", True),
        ("see www.SPAM.example.", True),
        ("ｓｐａｍ.example", True),
        ("http://user@spam.example:80", True),
        ("notspam.example", False),
        ("spam.example.org", False),
        ("spam-example", False),
    ],
)
def test_a_domain_is_found_however_it_is_written(
    thread: Thread, drain: Callable[[], int], text: str, is_found: bool
) -> None:
    rule = keep("domain", "Spam.example", "flag")
    post_id = write(thread.ann, text, drain)
    assert Case.objects.filter(target_id=int(post_id)).exists() is is_found
    assert RuleHit.objects.filter(rule=rule, target_id=int(post_id), effect="flag").exists() is is_found


class Shortener(BaseHTTPRequestHandler):
    """A shortener of links: /one leads to /two, and that to a site that is not there."""

    asked: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        self.asked.append(self.path)
        places = {"/one": "/two", "/two": "http://deep.spam.example/landing", "/loop": "/loop"}
        self.send_response(301 if self.path in places else 404)
        self.send_header("Location", places.get(self.path, ""))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def shortener(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real server, under a name that leads to this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shortener)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    settings.LINK_SHORTENERS = frozenset({"short.example"})
    settings.OUTGOING_ALLOWED_HOSTS = [f"short.example:{server.server_port}"]
    monkeypatch.setattr(outgoing, "_resolve", lambda host, port, deadline: ["127.0.0.1"])
    Shortener.asked.clear()
    yield f"http://short.example:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_short_links_are_followed_to_the_name_of_where_they_end(
    thread: Thread, drain: Callable[[], int], shortener: str
) -> None:
    write(thread.ann, f"{shortener}/one", drain)
    assert Shortener.asked == [], "no rule asks for it"
    keep("domain", "spam.example", "flag")
    write(thread.ann, f"{shortener}/gone and {shortener}/loop and https://other.example/", drain)
    assert not Case.objects.exists()
    assert Shortener.asked == ["/gone", *["/loop"] * 4]
    Shortener.asked.clear()
    found = write(thread.ann, f"{shortener}/one", drain)
    assert Shortener.asked == ["/one", "/two"], "the site of spam is never visited"
    assert Case.objects.get().target_id == int(found)


def test_what_a_rule_refuses_is_in_no_profile_or_name_either(
    thread: Thread, anonymous: JsonClient, drain: Callable[[], int]
) -> None:
    keep("words", "casino*", "reject")
    keep("domain", "spam.example", "reject")
    keep("rate", "1/60", "reject")
    before = thread.ann.client.get(f"/v1/profiles/{thread.ann.id}").json()
    for change in ({"bio": "visit the casinos"}, {"full_name": "Ｃａｓｉｎｏ"}, {"bio": "www.spam.example"}):
        answer = thread.ann.client.patch("/v1/profiles/me", {**change, "is_private": True})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "refused_by_rule")
        assert answer.json()["errors"][0]["field"] == next(iter(change))
    assert thread.ann.client.get(f"/v1/profiles/{thread.ann.id}").json() == before
    assert thread.ann.client.patch("/v1/profiles/me", {"bio": "a plain life"}).status_code == 200
    account = {"email": "x@example.org", "username": "casinox", "password": "correct horse battery"}
    refused = anonymous.post("/v1/auth/register", account)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "username")
    refused = anonymous.post("/v1/auth/register", {**account, "username": "xavier", "full_name": "My Casino"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "full_name")
    assert anonymous.post("/v1/auth/register", {**account, "username": "xavier"}).status_code == 201


def test_what_is_held_waits_for_a_moderator(thread: Thread, drain: Callable[[], int]) -> None:
    keep("words", "casino", "hold")
    post_id = write(thread.ann, "my casino", drain)
    drain()
    path = f"/v1/posts/{post_id}"
    assert thread.ann.client.get(path).json()["withheld"] == "waiting"
    assert thread.cleo.client.get(path).status_code == 404
    assert any("awaits review by a moderator" in message for message in messages(thread.ann))
    comment = thread.ben.client.post(f"/v1/posts/{thread.post_id}/comments", {"content": "casino"}).json()["id"]
    drain()
    assert thread.ben.client.get(f"/v1/comments/{comment}").json()["withheld"] == "waiting"
    assert thread.cleo.client.get(f"/v1/comments/{comment}").status_code == 404
    for case in Case.objects.filter(closed_at=None):
        actions.dismiss_case(moderator_id=MODERATOR_ID, case_id=case.id, reason="fine")
    drain()
    assert thread.cleo.client.get(path).json()["withheld"] is None
    assert thread.cleo.client.get(f"/v1/comments/{comment}").status_code == 200
    assert thread.ann.client.patch(path, {"content": "my casino again"}).status_code == 200
    drain()
    assert thread.cleo.client.get(path).status_code == 200, "a moderator has looked at it"


def test_what_is_held_was_never_seen(thread: Thread, drain: Callable[[], int], anonymous: JsonClient) -> None:
    """Nothing has been handled yet when others are refused, and nobody is notified before a moderator let it pass."""
    keep("words", "casino", "hold")
    thread.cleo.client.put(f"/v1/profiles/{thread.ann.id}/follow")
    drain()
    before = anonymous.get(f"/v1/profiles/{thread.ann.id}").json()["posts_count"]
    post = thread.ann.client.post("/v1/posts", {"content": f"casino @{thread.cleo.username}"}).json()
    path = f"/v1/posts/{post['id']}"
    comments = f"/v1/posts/{thread.post_id}/comments"
    comment = thread.cleo.client.post(comments, {"content": f"casino @{thread.ben.username}"}).json()
    assert (post["withheld"], comment["withheld"], comment["content"][:6]) == ("waiting", "waiting", "casino")

    def is_seen() -> list[bool]:
        readers = ((thread.cleo, path), (thread.ben, f"/v1/comments/{comment['id']}"))
        return [person.client.get(read).status_code == 200 for person, read in readers]

    def notified() -> list[set[str]]:
        lists = [
            person.client.get("/v1/notifications").json()["results"] for person in (thread.cleo, thread.ann, thread.ben)
        ]
        about = {post["id"], comment["id"]}
        return [{n["kind"] for n in some if n["target"]["id"] in about} - {"moderation"} for some in lists]

    assert is_seen() == [False, False]
    assert thread.cleo.client.get(f"/v1/comments/{comment['id']}").json()["withheld"] == "waiting"
    drain()
    assert is_seen() == [False, False]
    assert notified() == [set(), set(), set()]
    assert anonymous.get(f"/v1/profiles/{thread.ann.id}").json()["posts_count"] == before
    assert anonymous.get(f"/v1/posts/{thread.post_id}").json()["comments_count"] == 1, "the other one"

    for case in Case.objects.filter(closed_at=None):
        actions.dismiss_case(moderator_id=MODERATOR_ID, case_id=case.id, reason="fine")
    drain()
    assert is_seen() == [True, True]
    assert notified() == [{"mention"}, {"comment"}, {"mention"}]
    assert anonymous.get(f"/v1/profiles/{thread.ann.id}").json()["posts_count"] == before + 1
    assert anonymous.get(f"/v1/posts/{thread.post_id}").json()["comments_count"] == 2


def test_an_edit_is_held_before_anybody_sees_it(thread: Thread, drain: Callable[[], int]) -> None:
    post_id = write(thread.ann, "plain", drain)
    rule = keep("words", "casino", "hold")
    path = f"/v1/posts/{post_id}"
    edited = thread.ann.client.patch(path, {"content": "casino"})
    assert edited.json()["withheld"] == "waiting"
    assert thread.cleo.client.get(path).status_code == 404
    actions.delete_word_rule(moderator_id=MODERATOR_ID, rule_id=rule.id)
    drain()
    case = Case.objects.get(target_id=int(post_id), closed_at=None)
    assert thread.cleo.client.get(path).status_code == 404, "it waits, though the rule is gone"
    actions.dismiss_case(moderator_id=MODERATOR_ID, case_id=case.id, reason="fine")
    drain()
    assert thread.cleo.client.get(path).json()["content"] == "casino"


def test_a_held_post_that_is_hidden_waits_no_more(thread: Thread, drain: Callable[[], int]) -> None:
    keep("words", "casino", "hold")
    post_id = write(thread.ann, "my casino", drain)
    target = Target("post", int(post_id), int(thread.ann.id))
    hidden = actions.restrict_content(
        Action.Kind.HIDE_CONTENT, moderator_id=MODERATOR_ID, target=target, decision=actions.Decision(reason="no")
    )
    drain()
    assert thread.ann.client.get(f"/v1/posts/{post_id}").json()["withheld"] == "hidden"
    actions.lift_action(moderator_id=901, action_id=hidden.id, reason="fine")
    drain()
    assert thread.cleo.client.get(f"/v1/posts/{post_id}").status_code == 200


def test_what_a_rule_refuses_is_not_published(thread: Thread) -> None:
    keep("domain", "spam.example", "reject")
    for path, body in (
        ("/v1/posts", {"content": "spam.example"}),
        (f"/v1/posts/{thread.post_id}/comments", {"content": "https://spam.example"}),
    ):
        answer = thread.cleo.client.post(path, body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "refused_by_rule")
    assert thread.ann.client.patch(f"/v1/posts/{thread.post_id}", {"content": "spam.example"}).status_code == 422
    assert thread.cleo.client.get(f"/v1/profiles/{thread.cleo.id}/posts").json()["results"] == []


def test_who_writes_too_fast_is_silenced_once(thread: Thread, drain: Callable[[], int]) -> None:
    keep("rate", "2/10", "silence")
    for number in range(4):
        write(thread.cleo, f"post {number}", drain)
    entries = Action.objects.filter(kind="silence_user")
    assert {entry.user_id for entry in entries} == {int(thread.cleo.id)}
    assert entries.count() == 1


def test_new_accounts_and_spam(thread: Thread, drain: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    keep("spam", "80", "flag")
    write(thread.cleo, "buy at https://a.example/", drain)
    write(thread.ben, "buy at https://a.example/", drain)
    assert not Case.objects.exists(), "no scorer is set"
    monkeypatch.setattr(settings, "SPAM_SCORER", "apps.moderation.access.screening.score_spam")
    write(thread.cleo, "a plain text", drain)
    assert not Case.objects.exists()
    write(thread.ann, "Buy at https://a.example/", drain)
    assert Case.objects.get().author_id == int(thread.ann.id)
    rule = keep("new_account", "3", "flag")
    write(thread.ben, "hello", drain)
    assert RuleHit.objects.filter(rule=rule).count() == 1


def test_a_file_and_its_copies_are_found_by_its_hash(thread: Thread, drain: Callable[[], int]) -> None:
    known = "ab" * 32
    keep("media", known.upper(), "remove")
    by_ann = {"user_id": int(thread.ann.id), "size": 1, "created_at": timezone.now()}
    Media.objects.create(**by_ann, content_hash=known, perceptual_hash="f" * 64)
    # The same picture in another format: another file, whose perceptual hash differs in a few bits.
    Media.objects.create(**by_ann, post_id=int(thread.post_id), content_hash="cd" * 32, perceptual_hash=f"{'f' * 62}0f")
    assert thread.ann.client.patch(f"/v1/posts/{thread.post_id}", {"content": "look"}).status_code == 200
    drain()
    assert Action.objects.filter(kind="remove_content").count() == 1
    assert thread.ann.client.get(f"/v1/posts/{thread.post_id}").status_code == 404


def test_a_picture_is_found_by_a_pdq_hash_near_its_own(thread: Thread, drain: Callable[[], int]) -> None:
    keep("media", f"{'f' * 56}{'0' * 8}", "remove")  # 32 bits from one, 31 from the other
    by_ann = {"user_id": int(thread.ann.id), "size": 1, "created_at": timezone.now(), "post_id": int(thread.post_id)}
    picture = Media.objects.create(**by_ann, content_hash="cd" * 32, perceptual_hash="f" * 64)
    assert thread.ann.client.patch(f"/v1/posts/{thread.post_id}", {"content": "look"}).status_code == 200
    drain()
    assert not Action.objects.filter(kind="remove_content").exists()
    Media.objects.filter(id=picture.id).update(perceptual_hash=f"{'f' * 63}e")
    assert thread.ann.client.patch(f"/v1/posts/{thread.post_id}", {"content": "look again"}).status_code == 200
    drain()
    assert Action.objects.filter(kind="remove_content").count() == 1


def test_a_rule_is_tried_before_it_is_switched_on(thread: Thread, drain: Callable[[], int]) -> None:
    write(thread.ann, "my casino", drain)
    rule = keep("words", "casino", "remove", is_active=False)
    trial = try_rule(rule, days=7)
    assert (trial.looked_at, trial.hits, [hit.text for hit in trial.shown]) == (3, 1, ["my casino"])
    assert not Case.objects.exists()
    assert not RuleHit.objects.exists()


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [("domain", "spam"), ("media", "abc"), ("rate", "0/5"), ("rate", "5"), ("new_account", "0"), ("spam", "101"),
     ("new_account", "९"), ("domain", "*")],
)  # fmt: skip
def test_a_pattern_that_stands_for_nothing_is_refused(kind: str, pattern: str) -> None:
    with pytest.raises(Invalid):
        keep(kind, pattern, "flag")
    assert not WordRule.objects.exists()


def block(kind: str, value: str, *, days: int | None = None) -> Block:
    """A block of sign-ups."""
    until = timezone.now() + timedelta(days=days) if days is not None else None
    return actions.set_block(moderator_id=MODERATOR_ID, kind=kind, value=value, until=until, block_id=None)


@pytest.mark.parametrize(
    ("kind", "value", "days", "status"),
    [
        ("email_domain", "@Blocked.example", None, 403),
        ("email_domain", "blocked.example", -1, 201),
        ("email_domain", "ocked.example", None, 201),
        ("addresses", "127.0.0.1/24", 1, 403),
        ("addresses", "192.0.2.0/24", 1, 201),
    ],
)
def test_sign_ups_are_blocked(anonymous: JsonClient, kind: str, value: str, days: int | None, status: int) -> None:
    block(kind, value, days=days)
    account = {"email": "zoe@mail.blocked.example", "username": "zoe", "password": "seven quiet herons wade"}
    answer = anonymous.post("/v1/auth/register", account)
    assert answer.status_code == status, answer.content
    if status == 403:
        assert answer.json()["code"] == "sign_up_blocked"
        assert anonymous.get("/v1/profiles/by-username/zoe").status_code == 404


@pytest.mark.parametrize(
    ("kind", "value"),
    [("addresses", "0.0.0.0/0"), ("addresses", "x"), ("email_domain", "com"), ("email_domain", "a@b.c")],
)
def test_a_block_that_is_none_is_refused(kind: str, value: str) -> None:
    with pytest.raises(Invalid):
        block(kind, value)
    assert not Block.objects.exists()
