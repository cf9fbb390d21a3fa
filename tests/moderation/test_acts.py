"""Decisions and their effects: hiding, locks, limits, two administrators, bulk decisions."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail

from apps.auth.actions import grant_role, revoke_role, send_due_mails
from apps.moderation import actions, tasks
from apps.moderation.actions import bulk as bulk_steps
from apps.moderation.models import Action, BulkDecision, Case, Proposal
from socialapp.core.errors import Conflict, Forbidden, Invalid, Unavailable
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.moderation.acts import act
from tests.moderation.conftest import Thread, enter, messages, report

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_a_hidden_comment_is_visible_to_its_author_only(thread: Thread, drain: Callable[[], int]) -> None:
    path, one = f"/v1/posts/{thread.post_id}/comments", f"/v1/comments/{thread.comment_id}"
    several = f"/v1/comments?ids={thread.comment_id}"
    entry = actions.carry_out(act(thread, "hide", "comment"))
    drain()
    [own] = thread.ben.client.get(path).json()["results"]
    assert (own["content"], own["author"]["id"], own["withheld"]) == ("a plain comment", thread.ben.id, "hidden")
    assert thread.ben.client.get(several).json()["results"] == [own]
    assert thread.ben.client.get(one).json()["content"] == "a plain comment"
    for person in (thread.ann, thread.cleo):
        assert person.client.get(path).json()["results"] == []
        assert person.client.get(several).json()["results"] == []
        assert person.client.get(one).status_code == 404
    assert thread.cleo.client.get(f"/v1/posts/{thread.post_id}").json()["comments_count"] == 0
    removal = actions.carry_out(act(thread, "remove", "comment"))
    drain()
    assert thread.ben.client.get(one).status_code == 404, "it is hidden from its author too"
    assert thread.ben.client.get(several).json()["results"] == []
    actions.lift_action(moderator_id=901, action_id=removal.id, reason="hidden is enough")
    drain()
    assert messages(thread.ben)[0] == "We reviewed our decision and restored your comment.", "there was no appeal"
    assert thread.ben.client.get(one).status_code == 200
    assert thread.cleo.client.get(one).status_code == 404
    actions.lift_action(moderator_id=901, action_id=entry.id, reason="fine")
    drain()
    assert thread.cleo.client.get(one).json()["withheld"] is None
    actions.carry_out(act(thread, "hide", "comment"))
    drain()
    assert thread.ben.client.delete(one).status_code == 204, "authors may delete their hidden comments"
    assert thread.ben.client.get(path).json()["results"] == []


def test_the_author_of_a_hidden_comment_still_sees_what_was_notified(thread: Thread, drain: Callable[[], int]) -> None:
    reaction = f"/v1/comments/{thread.comment_id}/reaction"
    thread.cleo.client.put(reaction, {"reaction_type": "love"})
    drain()

    def notified() -> list[tuple[str, str]]:
        found = thread.ben.client.get("/v1/notifications").json()["results"]
        return [(one["id"], one["target"]["id"]) for one in found if one["kind"] == "reaction"]

    before = notified()
    assert [target for _, target in before] == [thread.comment_id]
    entry = actions.carry_out(act(thread, "hide", "comment"))
    drain()
    assert notified() == before
    assert thread.cleo.client.put(reaction, {"reaction_type": "like"}).status_code == 404
    assert report(thread.cleo, "comment", thread.comment_id).status_code == 404
    actions.carry_out(act(thread, "remove", "comment"))
    drain()
    assert notified() == [], "nobody sees what was removed"
    actions.lift_action(moderator_id=901, action_id=Action.objects.latest("sequence").id, reason="hidden is enough")
    actions.lift_action(moderator_id=901, action_id=entry.id, reason="fine")
    drain()
    assert notified() == before


def test_mentions_in_a_hidden_post_notify_after_it_is_shown_again(thread: Thread, drain: Callable[[], int]) -> None:
    path = f"/v1/posts/{thread.post_id}"

    def mentions(person: Person) -> list[tuple[str, str]]:
        found = person.client.get("/v1/notifications").json()["results"]
        return [(n["id"], n["target"]["id"]) for n in found if n["kind"] == "mention"]

    thread.ann.client.patch(path, {"content": f"@{thread.ben.username}"})
    drain()
    before = mentions(thread.ben)
    assert [target for _, target in before] == [thread.post_id]
    entry = actions.carry_out(act(thread, "hide", "post"))
    drain()
    both = {"content": f"@{thread.ben.username} @{thread.cleo.username}"}
    assert thread.ann.client.patch(path, both).status_code == 200
    drain()
    assert mentions(thread.cleo) == []
    actions.lift_action(moderator_id=901, action_id=entry.id, reason="fine")
    drain()
    assert [target for _, target in mentions(thread.cleo)] == [thread.post_id]
    assert mentions(thread.ben) == before, "nobody is notified twice"


def test_a_post_with_locked_comments_rejects_comments(thread: Thread, drain: Callable[[], int]) -> None:
    path = f"/v1/posts/{thread.post_id}/comments"
    actions.carry_out(act(thread, "lock", "post"))
    drain()
    answer = thread.cleo.client.post(path, {"content": "me too"})
    assert (answer.status_code, answer.json()["code"]) == (403, "comments_locked")
    assert thread.cleo.client.get(f"/v1/posts/{thread.post_id}").json()["comments_locked"] is True
    assert len(thread.cleo.client.get(path).json()["results"]) == 1
    assert any("locked the comments" in message for message in messages(thread.ann))


def test_links_and_media_can_be_limited_separately(thread: Thread, drain: Callable[[], int]) -> None:
    actions.carry_out(act(thread, "limit_links", "user", days=3))
    actions.carry_out(act(thread, "limit_media", "user", days=3))
    drain()
    for text in (
        "see https://a.example/x",
        "see a.example/x",
        "HTTP://A.example",
        "http://[2001:db8::1]/",
        "https://a%2Eexample",
    ):
        answer = thread.ann.client.post("/v1/posts", {"content": text})
        assert (answer.status_code, answer.json()["code"]) == (403, "links_limited"), text
    comment = thread.ann.client.post(f"/v1/posts/{thread.post_id}/comments", {"content": "https://a.example"})
    assert comment.status_code == 403
    media = thread.ann.client.post("/v1/posts", {"content": "look", "media_ids": ["1"]})
    assert (media.status_code, media.json()["code"]) == (403, "media_limited")
    assert thread.ann.client.post("/v1/posts", {"content": "plain"}).status_code == 201


def test_log_in_is_rejected_until_a_demanded_password_is_set(
    thread: Thread, drain: Callable[[], int], anonymous: JsonClient
) -> None:
    login = {"login": "ann", "password": "correct horse battery"}
    assert anonymous.post("/v1/auth/login", login).status_code == 200
    entry = actions.carry_out(act(thread, "demand_password", "user"))
    drain()
    answer = anonymous.post("/v1/auth/login", login)
    assert (answer.status_code, answer.json()["code"]) == (403, "password_reset_required")
    wrong = anonymous.post("/v1/auth/login", {**login, "password": "not the password"})
    assert wrong.status_code == 401, "without the right password the demand is not revealed"
    mail.outbox.clear()
    send_due_mails()
    [sent] = [one for one in mail.outbox if one.subject == "Please set a new password"]
    key = re.search(r"Your key: (\S+)", str(sent.body))[1]  # type: ignore[index]
    new = "a quite different passphrase 7"
    assert anonymous.post("/v1/auth/password/reset", {"key": key, "password": new}).status_code == 204
    assert anonymous.post("/v1/auth/login", {**login, "password": new}).status_code == 200
    actions.lift_action(moderator_id=901, action_id=entry.id, reason="done")
    drain()
    assert anonymous.post("/v1/auth/login", {**login, "password": new}).status_code == 200


def test_a_decision_about_an_administrator_takes_two_others(thread: Thread, register: Callable[..., Person]) -> None:
    first, second, mia = register("ada"), register("bea"), register("mia")
    for person in (first, second, thread.ann):
        grant_role(user_id=int(person.id), role="admin")
    grant_role(user_id=int(mia.id), role="moderator")
    path = f"/admin/moderation/case/about/user/{thread.ann.id}/"
    page = enter(first).post(path, {"decision": "ban", "reason": "sold data"}, follow=True)
    assert "another administrator must confirm" in page.content.decode()
    proposal = Proposal.objects.get()
    assert not Action.objects.exists()
    for person in (first, thread.ann, mia):
        with pytest.raises((Forbidden, Invalid)):
            actions.confirm_proposal(proposal_id=proposal.id, moderator_id=int(person.id))
    assert not Action.objects.exists()
    proposal.refresh_from_db()
    assert proposal.outcome == "open"
    chosen = {"action": "confirm", "_selected_action": [proposal.id]}
    assert enter(mia).post("/admin/moderation/proposal/", chosen).status_code == 403
    enter(second).post("/admin/moderation/proposal/", chosen)
    entry = Action.objects.get()
    assert (entry.kind, entry.moderator_id, entry.reason) == ("ban_user", int(second.id), "sold data")
    with pytest.raises(Conflict):
        actions.confirm_proposal(proposal_id=proposal.id, moderator_id=int(second.id))


@pytest.mark.parametrize("decision", ["ban", "remove"])
def test_neither_of_two_administrators_who_decided_answers_the_appeal(
    thread: Thread, register: Callable[..., Person], decision: str
) -> None:
    first, second, third = (int(register(name).id) for name in ("ada", "bea", "cora"))
    for user_id in (first, second, third, int(thread.ann.id)):
        grant_role(user_id=user_id, role="admin")
    proposal = actions.propose(act(thread, decision, "post", moderator_id=first))
    entry = actions.confirm_proposal(proposal_id=proposal.id, moderator_id=second)
    appeal = actions.file_appeal(user_id=int(thread.ann.id), action_id=entry.id, text="no")
    for moderator_id in (first, second):
        with pytest.raises(Forbidden) as refused:
            actions.decide_appeal(moderator_id=moderator_id, appeal_id=appeal.id, is_accepted=False, answer="")
        assert refused.value.code == "own_decision"
    decided = actions.decide_appeal(moderator_id=third, appeal_id=appeal.id, is_accepted=False, answer="")
    assert decided.status == "rejected"


def test_a_decision_needs_no_report(thread: Thread, register: Callable[..., Person]) -> None:
    browser = enter(register("mia"), "moderator")
    for target, shown in (
        (f"user/{thread.ann.id}", "@ann"),
        (f"post/{thread.post_id}", "a plain post"),
        (f"comment/{thread.comment_id}", "a plain comment"),
    ):
        page = browser.get(f"/admin/moderation/case/about/{target}/").content.decode()
        assert shown in page
        assert 'value="dismiss"' not in page
    path = f"/admin/moderation/case/about/comment/{thread.comment_id}/"
    assert "Decided" in browser.post(path, {"decision": "hide", "note": "n"}, follow=True).content.decode()
    assert (Action.objects.get().kind, Action.objects.get().note) == ("hide_content", "n")
    assert browser.get("/admin/moderation/case/about/post/5/").status_code == 404
    assert browser.get("/admin/moderation/case/about/planet/5/").status_code == 404
    assert not Case.objects.exists()


def test_bulk_decisions_run_in_a_task(
    thread: Thread, register: Callable[..., Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MOST_AT_ONCE", 1)
    mia = register("mia")
    report(thread.cleo, "post", thread.post_id)
    report(thread.cleo, "comment", thread.comment_id)
    chosen = {"action": "dismiss_selected", "_selected_action": [case.id for case in Case.objects.all()]}
    page = enter(mia, "moderator").post("/admin/moderation/case/", {**chosen, "reason": "fine"}, follow=True)
    assert "2 cases are being decided" in page.content.decode()
    assert Case.objects.filter(closed_at=None).count() == 2
    decided = Case.objects.order_by("id")[0]
    actions.dismiss_case(moderator_id=901, case_id=decided.id, reason="faster")
    assert tasks.decide_in_bulk() == 2
    bulk = BulkDecision.objects.get()
    assert (bulk.done, bulk.failed, bulk.finished_at is not None) == (2, 1, True)
    assert not Case.objects.filter(closed_at=None).exists()
    assert tasks.decide_in_bulk() == 0


def started_bulk(thread: Thread, moderator: Person) -> BulkDecision:
    """A bulk decision to dismiss two cases."""
    report(thread.cleo, "post", thread.post_id)
    report(thread.cleo, "comment", thread.comment_id)
    ids = list(Case.objects.values_list("id", flat=True))
    return actions.start_bulk_decision(decision="dismiss", case_ids=ids, moderator_id=int(moderator.id), reason="fine")


def test_a_step_of_a_bulk_decision_that_runs_twice_fails_for_no_case(
    thread: Thread, register: Callable[..., Person]
) -> None:
    mia = register("mia")
    grant_role(user_id=int(mia.id), role="moderator")
    bulk = started_bulk(thread, mia)
    assert tasks.decide_in_bulk() == 2
    bulk.save()  # as if it was killed before it recorded the step
    assert tasks.decide_in_bulk() == 2
    bulk.refresh_from_db()
    assert (bulk.done, bulk.failed, bulk.problems) == (2, 0, [])
    assert Action.objects.count() == 2


def test_a_bulk_decision_waits_while_another_context_is_unavailable(
    thread: Thread, register: Callable[..., Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    mia = register("mia")
    grant_role(user_id=int(mia.id), role="moderator")
    bulk = started_bulk(thread, mia)
    decide = bulk_steps.carry_out_for_case
    answers = iter([decide, unavailable])

    def answer(*case: Any, **more: Any) -> None:
        next(answers)(*case, **more)

    monkeypatch.setattr(bulk_steps, "carry_out_for_case", answer)
    with pytest.raises(Unavailable):
        tasks.decide_in_bulk()
    bulk.refresh_from_db()
    assert (bulk.done, bulk.failed) == (0, 0)
    monkeypatch.setattr(bulk_steps, "carry_out_for_case", decide)
    assert tasks.decide_in_bulk() == 2
    bulk.refresh_from_db()
    assert (bulk.done, bulk.failed, Action.objects.count()) == (2, 0, 2)


def unavailable(*case: object, **more: object) -> None:
    raise Unavailable("auth does not respond")


@pytest.mark.parametrize("way", ["revoked", "banned"])
def test_a_bulk_decision_ends_with_the_moderators_role(
    thread: Thread, register: Callable[..., Person], drain: Callable[[], int], way: str
) -> None:
    mia = register("mia")
    grant_role(user_id=int(mia.id), role="moderator")
    bulk = started_bulk(thread, mia)
    if way == "revoked":
        revoke_role(user_id=int(mia.id), role="moderator")
    else:
        actions.sanction_by_operator(user_id=int(mia.id), kind="ban", reason="stolen account")
        drain()
    tasks.decide_in_bulk()
    bulk.refresh_from_db()
    assert (bulk.failed, bulk.finished_at is not None) == (2, True)
    assert "no longer a moderator" in bulk.problems[0]
    assert Case.objects.filter(closed_at=None).count() == 2
