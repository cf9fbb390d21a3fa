"""Rules about links, media, rates and new accounts; holding, rejecting and silencing; trials; sign-up blocks."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from typing import Any, ClassVar

import pytest
from django.conf import settings
from django.utils import timezone

from apps.auth.actions import rename_account
from apps.moderation import actions
from apps.moderation.access import rules_matching, target_texts, try_rule
from apps.moderation.models import Action, Block, Case, RuleHit, WordRule
from apps.moderation.queries import Target
from apps.notifications.models import Notification
from apps.posts.models import Media
from socialapp.core import outgoing
from socialapp.core.errors import Invalid
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.moderation.conftest import MODERATOR_ID, Thread, messages

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def keep(kind: str, pattern: str, effect: str, *, is_active: bool = True) -> WordRule:
    """Creates a rule."""
    return actions.set_word_rule(
        moderator_id=MODERATOR_ID, kind=kind, pattern=pattern, effect=effect, is_active=is_active
    )


def write(person: Person, text: str, drain: Callable[[], int]) -> str:
    """Writes a post and delivers its events; returns its id."""
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
        ("https://spam。example/x", True),
        ("https://sp%61m%2Eexample/x", True),
        ("スパムは spam.example。気をつけて", True),
    ],
)
def test_a_domain_is_found_in_any_spelling(thread: Thread, drain: Callable[[], int], text: str, is_found: bool) -> None:
    rule = keep("domain", "Spam.example", "flag")
    post_id = write(thread.ann, text, drain)
    assert Case.objects.filter(target_id=int(post_id)).exists() is is_found
    assert RuleHit.objects.filter(rule=rule, target_id=int(post_id), effect="flag").exists() is is_found


@pytest.mark.parametrize("pattern", ["bücher.example", "xn--bcher-kva.example"])
@pytest.mark.parametrize(
    "host", ["BÜCHER.example", "xn--bcher-kva.example", "bu\u0308cher.example", "b%C3%BCcher.example"]
)
def test_a_domain_is_found_in_ascii_and_unicode(pattern: str, host: str) -> None:
    rule = keep("domain", pattern, "flag")
    assert rules_matching(f"see https://www.{host}/x") == [rule]
    assert rules_matching(f"see https://a{host}/x") == []


@pytest.mark.parametrize("pattern", ["faß.example", "FAẞ.example", "xn--fa-hia.example"])
def test_letters_that_case_folding_changes_are_kept_in_domains(pattern: str) -> None:
    """To a resolver ß is not ss, and a final sigma no sigma (UTS #46, non-transitional)."""
    rule = keep("domain", pattern, "flag")
    for host in ("faß.example", "Faß.example", "xn--fa-hia.example", "fa%C3%9F.example"):
        assert rules_matching(f"see https://www.{host}/x") == [rule], host
    assert rules_matching("see https://fass.example/x") == []
    other = keep("domain", "βόλος.example", "flag")
    for host in ("βόλος.example", "xn--nxasmm1c.example"):
        assert rules_matching(f"https://{host}/") == [other], host
    assert rules_matching("https://βόλοσ.example/ https://xn--nxasmq6b.example/") == []


@pytest.mark.parametrize("changes", [{"content": "casino"}, {"content_warning": "casino"}])
def test_rules_read_the_content_warning_too(thread: Thread, drain: Callable[[], int], changes: dict[str, str]) -> None:
    keep("words", "casino", "reject")
    path = f"/v1/posts/{thread.post_id}"
    refused = [thread.ann.client.patch(path, changes), thread.ann.client.post("/v1/posts", {"content": "x", **changes})]
    assert [answer.status_code for answer in refused] == [422, 422]
    assert [error["code"] for answer in refused for error in answer.json()["errors"]] == ["refused_by_rule"] * 2
    rule = keep("words", "roulette", "flag")
    made = thread.ann.client.post("/v1/posts", {"content": "x", **dict.fromkeys(changes, "roulette")}).json()
    drain()
    assert RuleHit.objects.filter(rule=rule, target_id=int(made["id"])).count() == 1
    assert "roulette" in target_texts([("post", int(made["id"]))])[int(made["id"])], "and moderators read it"


class Shortener(BaseHTTPRequestHandler):
    """A link shortener: /one redirects to /two, which redirects to a site that does not exist."""

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
    """A real server, under a name that resolves to this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shortener)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    settings.LINK_SHORTENERS = frozenset({"short.example"})
    settings.OUTGOING_ALLOWED_HOSTS = [f"short.example:{server.server_port}"]
    monkeypatch.setattr(outgoing, "_resolve", lambda host, port, deadline: ["127.0.0.1"])
    Shortener.asked.clear()
    yield f"http://short.example:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_short_links_are_resolved_to_their_final_domain(
    thread: Thread, drain: Callable[[], int], shortener: str
) -> None:
    write(thread.ann, f"{shortener}/one", drain)
    assert Shortener.asked == [], "links are not resolved without a rule that needs it"
    keep("domain", "spam.example", "flag")
    write(thread.ann, f"{shortener}/gone and {shortener}/loop and https://other.example/", drain)
    assert not Case.objects.exists()
    assert Shortener.asked == ["/gone", *["/loop"] * 4]
    Shortener.asked.clear()
    found = write(thread.ann, f"{shortener}/one", drain)
    assert Shortener.asked == ["/one", "/two"], "the target itself is never requested"
    assert Case.objects.get().target_id == int(found)


def test_a_username_that_a_removing_rule_finds_opens_a_case(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    keep("words", "casino", "remove")
    person = register("casino")
    client = person.client
    assert client.patch("/v1/profiles/me", {"full_name": "Mia", "bio": "hello"}).status_code == 200
    drain()
    [case] = Case.objects.all()
    assert (case.target_type, case.target_id, case.flagged_words) == ("user", int(person.id), "casino")
    assert not Action.objects.filter(kind="reset_profile").exists(), "emptying the rest would change nothing"
    assert client.patch("/v1/profiles/me", {"full_name": "Casino", "bio": "hello"}).status_code == 200
    drain()
    assert Action.objects.filter(kind="reset_profile").count() == 1
    profile = client.get("/v1/profiles/me").json()
    assert (profile["username"], profile["full_name"], profile["bio"]) == ("casino", "", "")


def test_rules_about_writing_leave_profiles_alone(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    for kind, pattern in (("new_account", "3"), ("rate", "1/60")):
        keep(kind, pattern, "silence")
    for effect in ("flag", "remove"):
        keep("new_account", "5" if effect == "flag" else "7", effect)
    person = register("mia")
    assert person.client.patch("/v1/profiles/me", {"bio": "hello"}).status_code == 200
    drain()
    assert not Case.objects.exists()
    assert not Action.objects.filter(user_id=int(person.id)).exists()
    assert person.client.get("/v1/profiles/me").json()["bio"] == "hello"


def test_a_profile_that_a_moderator_restored_stays(thread: Thread, drain: Callable[[], int]) -> None:
    keep("words", "casino", "remove")
    assert thread.ann.client.patch("/v1/profiles/me", {"bio": "casino architect"}).status_code == 200
    drain()
    reset = Action.objects.get(kind="reset_profile")
    assert thread.ann.client.get("/v1/profiles/me").json()["bio"] == ""
    actions.lift_action(moderator_id=MODERATOR_ID, action_id=reset.id, reason="a profession")
    drain()
    assert thread.ann.client.get("/v1/profiles/me").json()["bio"] == "casino architect"
    assert Action.objects.filter(kind="reset_profile").count() == 1


def test_a_rejecting_rule_applies_to_profiles_and_names_too(
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
    assert thread.ann.client.post("/v1/auth/confirm", {"password": "correct horse battery"}).status_code == 200
    refused = thread.ann.client.patch("/v1/auth/me", {"username": "casinox"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "username")
    account = {"email": "x@example.org", "username": "casinox", "password": "correct horse battery"}
    refused = anonymous.post("/v1/auth/register", account)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "username")
    refused = anonymous.post("/v1/auth/register", {**account, "username": "xavier", "full_name": "My Casino"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "full_name")
    assert anonymous.post("/v1/auth/register", {**account, "username": "xavier"}).status_code == 201


def test_held_content_waits_for_a_moderator(thread: Thread, drain: Callable[[], int]) -> None:
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
    assert thread.cleo.client.get(path).status_code == 200, "a moderator has reviewed it"


def test_held_content_is_never_visible_to_others(
    thread: Thread, drain: Callable[[], int], anonymous: JsonClient
) -> None:
    """Others get 404 before any event is handled, and nobody is notified before a moderator approves it."""
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
    assert anonymous.get(f"/v1/posts/{thread.post_id}").json()["comments_count"] == 1, "the other post"

    for case in Case.objects.filter(closed_at=None):
        actions.dismiss_case(moderator_id=MODERATOR_ID, case_id=case.id, reason="fine")
    drain()
    assert is_seen() == [True, True]
    assert notified() == [{"mention"}, {"comment"}, {"mention"}]
    assert anonymous.get(f"/v1/profiles/{thread.ann.id}").json()["posts_count"] == before + 1
    assert anonymous.get(f"/v1/posts/{thread.post_id}").json()["comments_count"] == 2


def test_a_held_edit_is_never_visible_to_others(thread: Thread, drain: Callable[[], int]) -> None:
    post_id = write(thread.ann, "plain", drain)
    rule = keep("words", "casino", "hold")
    path = f"/v1/posts/{post_id}"
    edited = thread.ann.client.patch(path, {"content": "casino"})
    assert edited.json()["withheld"] == "waiting"
    assert thread.cleo.client.get(path).status_code == 404
    actions.delete_word_rule(moderator_id=MODERATOR_ID, rule_id=rule.id)
    drain()
    case = Case.objects.get(target_id=int(post_id), closed_at=None)
    assert thread.cleo.client.get(path).status_code == 404, "deleting the rule does not release it"
    actions.dismiss_case(moderator_id=MODERATOR_ID, case_id=case.id, reason="fine")
    drain()
    assert thread.cleo.client.get(path).json()["content"] == "casino"


def test_a_held_edit_of_a_comment_notifies_the_mentioned_when_it_is_released(
    thread: Thread, drain: Callable[[], int]
) -> None:
    keep("words", "casino", "hold")
    path = f"/v1/comments/{thread.comment_id}"
    assert thread.ben.client.patch(path, {"content": f"casino @{thread.cleo.username}"}).json()["withheld"] == "waiting"
    drain()
    assert not Notification.objects.filter(user_id=int(thread.cleo.id)).exists()
    case = Case.objects.get(target_id=int(thread.comment_id), closed_at=None)
    actions.dismiss_case(moderator_id=MODERATOR_ID, case_id=case.id, reason="fine")
    drain()
    assert [n["kind"] for n in thread.cleo.client.get("/v1/notifications").json()["results"]] == ["mention"]


def test_a_released_comment_notifies_those_whom_its_names_meant(
    thread: Thread, register: Callable[..., Person], drain: Callable[[], int], settings: Any
) -> None:
    """Not who has taken over a name while it waited."""
    settings.NAME_KEPT_DAYS = 0
    keep("words", "casino", "hold")
    path = f"/v1/posts/{thread.post_id}/comments"
    held = thread.ben.client.post(path, {"content": f"casino @{thread.cleo.username}"}).json()
    drain()
    for person, name in ((thread.cleo, "cleopatra"), (register("dora"), thread.cleo.username)):
        rename_account(user_id=int(person.id), username=name)
        drain()
    case = Case.objects.get(target_id=int(held["id"]), closed_at=None)
    actions.dismiss_case(moderator_id=MODERATOR_ID, case_id=case.id, reason="fine")
    drain()
    found = Notification.objects.filter(target_id=int(held["id"])).exclude(kind="moderation")
    assert sorted(found.values_list("user_id", "kind")) == sorted(
        [(int(thread.ann.id), "comment"), (int(thread.cleo.id), "mention")]
    )


def test_a_decision_about_a_held_post_ends_the_hold(thread: Thread, drain: Callable[[], int]) -> None:
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


def test_a_rejecting_rule_prevents_publication(thread: Thread) -> None:
    keep("domain", "spam.example", "reject")
    for path, body in (
        ("/v1/posts", {"content": "spam.example"}),
        (f"/v1/posts/{thread.post_id}/comments", {"content": "https://spam.example"}),
    ):
        answer = thread.cleo.client.post(path, body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "refused_by_rule")
    assert thread.ann.client.patch(f"/v1/posts/{thread.post_id}", {"content": "spam.example"}).status_code == 422
    assert thread.cleo.client.get(f"/v1/profiles/{thread.cleo.id}/posts").json()["results"] == []


def test_a_user_who_exceeds_the_rate_is_silenced_once(thread: Thread, drain: Callable[[], int]) -> None:
    keep("rate", "2/10", "silence")
    for number in range(4):
        write(thread.cleo, f"post {number}", drain)
    entries = Action.objects.filter(kind="silence_user")
    assert {entry.user_id for entry in entries} == {int(thread.cleo.id)}
    assert entries.count() == 1


def test_rules_match_new_accounts_and_spam_scores(
    thread: Thread, drain: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("spam", "80", "flag")
    write(thread.cleo, "buy at https://a.example/", drain)
    write(thread.ben, "buy at https://a.example/", drain)
    assert not Case.objects.exists(), "no scorer is configured"
    monkeypatch.setattr(settings, "SPAM_SCORER", "apps.moderation.access.screening.score_spam")
    write(thread.cleo, "a plain text", drain)
    assert not Case.objects.exists()
    write(thread.ann, "Buy at https://a.example/", drain)
    assert Case.objects.get().author_id == int(thread.ann.id)
    rule = keep("new_account", "3", "flag")
    write(thread.ben, "hello", drain)
    assert RuleHit.objects.filter(rule=rule).count() == 1


def test_a_file_and_its_copies_are_matched_by_hash(thread: Thread, drain: Callable[[], int]) -> None:
    known = "ab" * 32
    keep("media", known.upper(), "remove")
    by_ann = {"user_id": int(thread.ann.id), "size": 1, "created_at": timezone.now()}
    Media.objects.create(**by_ann, content_hash=known, perceptual_hash="f" * 64)
    # The same picture in another format is another file, whose perceptual hash differs in a few bits.
    Media.objects.create(**by_ann, post_id=int(thread.post_id), content_hash="cd" * 32, perceptual_hash=f"{'f' * 62}0f")
    assert thread.ann.client.patch(f"/v1/posts/{thread.post_id}", {"content": "look"}).status_code == 200
    drain()
    assert Action.objects.filter(kind="remove_content").count() == 1
    assert thread.ann.client.get(f"/v1/posts/{thread.post_id}").status_code == 404


def test_a_picture_is_matched_by_a_similar_pdq_hash(thread: Thread, drain: Callable[[], int]) -> None:
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


def test_an_inactive_rule_can_be_tried_without_effects(thread: Thread, drain: Callable[[], int]) -> None:
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
def test_a_meaningless_pattern_is_rejected(kind: str, pattern: str) -> None:
    with pytest.raises(Invalid):
        keep(kind, pattern, "flag")
    assert not WordRule.objects.exists()


def block(kind: str, value: str, *, days: int | None = None) -> Block:
    """Creates a sign-up block."""
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
        ("addresses", "::ffff:127.0.0.0/120", None, 403),
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
    ("blocked", "domain"),
    [
        *product(
            ["bücher.example", "xn--bcher-kva.example"],
            ["mail.bücher.example", "xn--bcher-kva.example", "BÜCHER。example"],
        ),
        *product(["faß.example", "xn--fa-hia.example"], ["mail.faß.example", "xn--fa-hia.example"]),
    ],
)
def test_a_domain_is_blocked_in_ascii_and_unicode(anonymous: JsonClient, blocked: str, domain: str) -> None:
    block("email_domain", blocked)
    account = {"email": f"zoe@{domain}", "username": "zoe", "password": "seven quiet herons wade"}
    answer = anonymous.post("/v1/auth/register", account)
    assert (answer.status_code, answer.json()["code"]) == (403, "sign_up_blocked"), answer.content


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("addresses", "0.0.0.0/0"),
        ("addresses", "::ffff:0.0.0.0/96"),
        ("addresses", "x"),
        ("email_domain", "com"),
        ("email_domain", "a@b.c"),
    ],
)
def test_an_invalid_block_is_rejected(kind: str, value: str) -> None:
    with pytest.raises(Invalid):
        block(kind, value)
    assert not Block.objects.exists()
