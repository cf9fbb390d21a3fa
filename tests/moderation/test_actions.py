"""Every kind of decision: its effect, the notification, and that lifting it restores everything."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from apps.moderation import actions, tasks
from apps.moderation.models import Action, Case, Suspension
from apps.moderation.queries import Target, log
from socialapp.core.errors import Conflict, Invalid
from tests.conftest import ALL_CONTEXTS, JsonClient, Person, refresh_index
from tests.moderation.conftest import MODERATOR_ID, Thread, messages, report

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)
Kind = Action.Kind


def sanction(person: Person, kind: Action.Kind, **changes: Any) -> Action:
    """A decision about a person."""
    decision = actions.Decision(reason="be kind", **changes)
    return actions.sanction_user(kind, moderator_id=MODERATOR_ID, user_id=int(person.id), decision=decision)


def appeal_and_accept(person: Person, action: Action, drain: Callable[[], int]) -> None:
    """The person appeals, and another moderator accepts."""
    answer = person.client.post("/v1/appeals", {"action_id": str(action.id), "text": "please look again"})
    assert answer.status_code == 201, answer.content
    actions.decide_appeal(moderator_id=901, appeal_id=int(answer.json()["id"]), is_accepted=True, answer="")
    drain()


def post_ids(client: JsonClient, path: str) -> list[str]:
    """The ids of the posts in a list."""
    refresh_index()
    items = client.get(path).json()["results"]
    return [item["item"]["id"] if "item" in item else item["id"] for item in items]


LISTS = ("/v1/explore", "/v1/explore?sort=trending", "/v1/search?q=quiet&type=posts", "/v1/hashtags/quiet/posts")


def test_a_silenced_users_posts_are_visible_to_followers_only(thread: Thread, drain: Callable[[], int]) -> None:
    ann, ben, cleo = thread.ann, thread.ben, thread.cleo
    assert ben.client.put(f"/v1/profiles/{ann.id}/follow").status_code == 200
    drain()
    action = sanction(ann, Kind.SILENCE_USER)
    drain()
    assert "silenced" in messages(ann)[0]
    post_id = ann.client.post("/v1/posts", {"content": "a quiet word to @cleo #quiet"}).json()["id"]
    drain()
    own = ann.client.get(f"/v1/posts/{post_id}").json()
    assert own["is_private"] is False, "silencing does not change the posts"
    for path in LISTS:
        assert post_id not in post_ids(cleo.client, path), path
        assert post_id not in post_ids(JsonClient(), path), path
    assert cleo.client.get(f"/v1/posts/{post_id}").status_code == 404
    assert cleo.client.get("/v1/notifications/unread-count").json()["count"] == 0
    assert cleo.client.get("/v1/search?q=ann&type=users").json()["results"] == []
    assert ben.client.get(f"/v1/posts/{post_id}").status_code == 200
    assert post_id in post_ids(ben.client, "/v1/feed")
    appeal_and_accept(ann, action, drain)
    for path in LISTS:
        assert post_id in post_ids(cleo.client, path), path
    assert cleo.client.get("/v1/search?q=ann&type=users").json()["results"]
    with pytest.raises(Conflict):
        actions.lift_action(moderator_id=901, action_id=action.id, reason="again")


def test_comments_of_a_silenced_user_are_visible_to_followers_only(thread: Thread, drain: Callable[[], int]) -> None:
    sanction(thread.ben, Kind.SILENCE_USER)
    drain()
    path = f"/v1/comments/{thread.comment_id}"
    assert thread.cleo.client.get(path).status_code == 404
    assert thread.ben.client.get(path).status_code == 200


def test_a_limited_user_can_read_but_not_write(thread: Thread, drain: Callable[[], int]) -> None:
    ann = thread.ann
    action = sanction(ann, Kind.LIMIT_USER, until=timezone.now() + timedelta(days=3))
    drain()
    for path, body in (("/v1/posts", {"content": "no"}), (f"/v1/posts/{thread.post_id}/comments", {"content": "no"})):
        answer = ann.client.post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "account_limited")
    assert ann.client.get("/v1/feed").status_code == 200
    assert f" until {action.until:%Y-%m-%d}" in messages(ann)[0]
    Suspension.objects.filter(action_id=action.id).update(until=timezone.now())
    assert tasks.end_suspensions() == 1
    drain()
    assert ann.client.post("/v1/posts", {"content": "yes"}).status_code == 201
    assert Action.objects.latest("sequence").kind == "unlimit_user"


def test_a_longer_limit_replaces_a_shorter_one(thread: Thread) -> None:
    soon, later = timezone.now() + timedelta(hours=1), timezone.now() + timedelta(days=9)
    sanction(thread.ann, Kind.LIMIT_USER, until=soon)
    sanction(thread.ann, Kind.SILENCE_USER, until=soon)
    sanction(thread.ann, Kind.LIMIT_USER, until=later)
    held = set(Suspension.objects.values_list("kind", "until"))
    assert held == {("silence_user", soon), ("limit_user", later)}
    with pytest.raises(Invalid):
        sanction(thread.ann, Kind.WARN_USER, until=later)


def test_an_emptied_profile_is_restored(thread: Thread, drain: Callable[[], int]) -> None:
    ann = thread.ann
    ann.client.patch("/v1/profiles/me", {"full_name": "Ann Bad Word", "bio": "buy now"})
    action = sanction(ann, Kind.RESET_PROFILE)
    drain()
    profile = thread.cleo.client.get(f"/v1/profiles/{ann.id}").json()
    assert (profile["full_name"], profile["bio"]) == ("", "")
    ann.client.patch("/v1/profiles/me", {"bio": "hello"})
    appeal_and_accept(ann, action, drain)
    profile = thread.cleo.client.get(f"/v1/profiles/{ann.id}").json()
    assert (profile["full_name"], profile["bio"]) == ("Ann Bad Word", "hello"), "later changes are kept"


@pytest.mark.parametrize("restricted_while_removed", [False, True])
def test_a_hidden_post_is_visible_to_its_author_only(
    thread: Thread, drain: Callable[[], int], restricted_while_removed: bool
) -> None:
    ann, cleo = thread.ann, thread.cleo
    post_id = ann.client.post("/v1/posts", {"content": "a quiet post #quiet"}).json()["id"]
    drain()
    target = Target("post", int(post_id), int(ann.id))
    before = cleo.client.get(f"/v1/profiles/{ann.id}").json()["posts_count"]
    if restricted_while_removed:
        removal = actions.remove_content(
            moderator_id=MODERATOR_ID, target=target, decision=actions.Decision(reason="spam")
        )
        drain()
    action = actions.restrict_content(
        Kind.HIDE_CONTENT, moderator_id=MODERATOR_ID, target=target, decision=actions.Decision(reason="no")
    )
    drain()
    if restricted_while_removed:
        actions.lift_action(moderator_id=MODERATOR_ID, action_id=removal.id, reason="hidden is enough")
        drain()
    assert ann.client.get(f"/v1/posts/{post_id}").status_code == 200
    assert cleo.client.get(f"/v1/posts/{post_id}").status_code == 404
    assert cleo.client.get(f"/v1/posts/{post_id}/comments").status_code == 404
    for path in (*LISTS, f"/v1/profiles/{ann.id}/posts"):
        assert post_id not in post_ids(cleo.client, path), path
    assert cleo.client.get(f"/v1/profiles/{ann.id}").json()["posts_count"] == before - 1
    assert any("hidden" in message for message in messages(ann))
    appeal_and_accept(ann, action, drain)
    for path in (*LISTS, f"/v1/profiles/{ann.id}/posts"):
        assert post_id in post_ids(cleo.client, path), path
    assert cleo.client.get(f"/v1/profiles/{ann.id}").json()["posts_count"] == before


def test_an_author_cannot_remove_a_moderators_sensitive_mark(thread: Thread, drain: Callable[[], int]) -> None:
    target = Target("post", int(thread.post_id), int(thread.ann.id))
    action = actions.restrict_content(
        Kind.MARK_SENSITIVE, moderator_id=MODERATOR_ID, target=target, decision=actions.Decision(reason="blood")
    )
    drain()
    path = f"/v1/posts/{thread.post_id}"
    assert thread.cleo.client.get(path).json()["sensitive"] is True
    for change in ({"sensitive": False}, {"content_warning": "a fall"}, {"content": "with no other word"}):
        assert thread.ann.client.patch(path, change).status_code == 200
        assert thread.cleo.client.get(path).json()["sensitive"] is True
    appeal_and_accept(thread.ann, action, drain)
    assert thread.cleo.client.get(path).json()["sensitive"] is False


@pytest.mark.parametrize("kind", [Kind.MARK_SENSITIVE, Kind.LOCK_COMMENTS])
def test_only_posts_can_be_marked_sensitive_and_locked(thread: Thread, kind: Action.Kind) -> None:
    target = Target("comment", int(thread.comment_id), int(thread.ben.id))
    with pytest.raises(Invalid):
        actions.restrict_content(kind, moderator_id=MODERATOR_ID, target=target, decision=actions.Decision(reason="no"))
    assert not Action.objects.exists()


def test_reports_and_decisions_quote_the_rule_as_it_was_then(thread: Thread, drain: Callable[[], int]) -> None:
    rule = actions.set_instance_rule(moderator_id=MODERATOR_ID, number=1, text="Be kind.")
    assert JsonClient().get("/v1/instance").json()["rules"] == ["Be kind."]
    assert JsonClient().get("/v1/moderation/rules").json() == [{"id": str(rule.id), "number": 1, "text": "Be kind."}]
    filed = report(thread.cleo, "post", thread.post_id, rule_id=str(rule.id))
    assert filed.json()["rule_id"] == str(rule.id)
    assert report(thread.ben, "post", thread.post_id, rule_id="1").status_code == 422
    target = Target("post", int(thread.post_id), int(thread.ann.id))
    actions.remove_content(
        moderator_id=MODERATOR_ID, target=target, decision=actions.Decision(reason="unkind", rule_id=rule.id)
    )
    newer = actions.set_instance_rule(moderator_id=MODERATOR_ID, number=1, text="Be kind, always.")
    assert (newer.version, actions.set_instance_rule(moderator_id=1, number=1, text="Be kind, always.").id) == (
        2,
        newer.id,
    )
    drain()
    assert messages(thread.ann)[0] == "A moderator has removed your post: unkind (Rule 1. Be kind.)"
    listed = thread.ann.client.get("/v1/moderation/actions").json()["results"]
    assert listed[0]["rule_id"] == str(rule.id)
    actions.retire_instance_rule(moderator_id=MODERATOR_ID, rule_id=newer.id)
    assert JsonClient().get("/v1/moderation/rules").json() == []


def test_dismissed_reports_lower_the_reporters_weight(thread: Thread, register: Callable[..., Person]) -> None:
    for _ in range(4):
        report(thread.cleo, "post", thread.post_id)
        actions.dismiss_case(moderator_id=MODERATOR_ID, case_id=Case.objects.get(closed_at=None).id, reason="fine")
    report(thread.cleo, "post", thread.post_id)
    report(thread.ann, "comment", thread.comment_id)
    first = actions.take_next_case(moderator_id=MODERATOR_ID)
    assert first is not None
    assert (first.target_type, first.score) == ("comment", 1.0)
    assert Case.objects.get(closed_at=None, target_type="post").score == 0.2


def test_the_transparency_report_is_public(thread: Thread) -> None:
    report(thread.cleo, "post", thread.post_id)
    sanction(thread.ann, Kind.WARN_USER)
    answer = JsonClient().get("/v1/moderation/transparency")
    assert len(answer.json()) == 12
    assert answer.json()[0] == {
        "month": f"{timezone.now():%Y-%m}",
        "reports": 1,
        "actions": {"warn_user": 1},
        "automated": 0,
        "appeals": 0,
        "appeals_accepted": 0,
    }
    with override_settings(TRANSPARENCY_REPORT=False):
        assert JsonClient().get("/v1/moderation/transparency").status_code == 404


def test_signed_heads_reveal_a_rebuilt_chain(thread: Thread) -> None:
    sanction(thread.ann, Kind.WARN_USER)
    assert tasks.sign_log()
    assert not tasks.sign_log()
    assert (log.check_log().problems, log.check_log().signatures) == ([], 1)
    entry = Action.objects.get()
    entry.reason = "something else"
    entry.content_hash = log.content_hash(entry)
    entry.hash = log.chain_hash(previous="", content=entry.content_hash)
    changed = {"reason": entry.reason, "content_hash": entry.content_hash, "hash": entry.hash}
    Action.objects.filter(id=entry.id).update(**changed)
    log.LogHead.objects.update(hash=entry.hash)  # type: ignore[attr-defined]
    assert log.check_log().problems == ["entry 1 is not the one that was signed"]


def test_word_rules_check_profiles(thread: Thread, drain: Callable[[], int]) -> None:
    actions.set_word_rule(moderator_id=MODERATOR_ID, pattern="casino", effect="flag", is_active=True)
    actions.set_word_rule(moderator_id=MODERATOR_ID, pattern="badword", effect="remove", is_active=True)
    thread.ann.client.patch("/v1/profiles/me", {"bio": "the best CASINO"})
    thread.ben.client.patch("/v1/profiles/me", {"full_name": "Badword"})
    drain()
    case = Case.objects.get()
    assert (case.target_type, case.target_id, case.flagged_words) == ("user", int(thread.ann.id), "casino")
    assert thread.cleo.client.get(f"/v1/profiles/{thread.ben.id}").json()["full_name"] == ""
    assert Action.objects.get(kind="reset_profile").moderator_id is None
