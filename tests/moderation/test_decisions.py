"""All decisions by staff share one path: logged, notified, open to appeal, and checked for rank."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from apps.auth.actions import grant_role, revoke_role
from apps.moderation import actions, tasks
from apps.moderation.models import Action, Case, CaseNote, Suspension
from apps.moderation.queries import Target
from socialapp.core.errors import Conflict, Forbidden, Invalid
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.moderation.conftest import MODERATOR_ID, Thread, messages, report

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def staff(person: Person, role: str) -> JsonClient:
    """Grants the role; returns a client of the person with it."""
    grant_role(user_id=int(person.id), role=role)
    answer = JsonClient().post("/v1/auth/login", {"login": person.username, "password": "correct horse battery"})
    return JsonClient(answer.json()["access"])


@pytest.mark.parametrize("kind", ["posts", "comments"])
def test_a_moderators_deletion_is_a_removal(thread: Thread, register: Any, drain: Callable[[], int], kind: str) -> None:
    moderator = staff(register("mona"), "moderator")
    target_id, author = (thread.post_id, thread.ann) if kind == "posts" else (thread.comment_id, thread.ben)
    assert moderator.delete(f"/v1/{kind}/{target_id}").status_code == 204
    assert author.client.get(f"/v1/{kind}/{target_id}").status_code == 404, "immediately, before any event is delivered"
    entry = Action.objects.get(kind="remove_content")
    assert (entry.target_id, entry.user_id) == (int(target_id), int(author.id))
    drain()
    assert len(messages(author)) == 1
    appeal = author.client.post("/v1/appeals", {"action_id": str(entry.id), "text": "please"})
    assert appeal.status_code == 201
    actions.decide_appeal(moderator_id=901, appeal_id=int(appeal.json()["id"]), is_accepted=True, answer="")
    drain()
    assert author.client.get(f"/v1/{kind}/{target_id}").status_code == 200


def test_decisions_about_the_same_or_a_higher_rank_are_rejected(
    thread: Thread, register: Any, drain: Callable[[], int]
) -> None:
    moderator = staff(register("mona"), "moderator")
    grant_role(user_id=int(thread.ann.id), role="admin")
    answer = moderator.delete(f"/v1/posts/{thread.post_id}")
    assert (answer.status_code, answer.json()["code"]) == (403, "rank_too_high")
    grant_role(user_id=int(thread.ben.id), role="moderator")
    assert moderator.delete(f"/v1/comments/{thread.comment_id}").json()["code"] == "rank_too_high"
    mo = int(moderator.get("/v1/auth/me").json()["id"])
    for decide in (actions.warn_user, actions.ban_user):
        with pytest.raises(Forbidden):
            decide(moderator_id=mo, user_id=int(thread.ben.id), reason="no")
    assert not Action.objects.exists()
    assert thread.cleo.client.get(f"/v1/posts/{thread.post_id}").status_code == 200


def test_a_moderator_cannot_remove_content_they_cannot_see(thread: Thread, register: Any) -> None:
    moderator = staff(register("mona"), "moderator")
    private = thread.ann.client.post("/v1/posts", {"content": "secret", "is_private": True}).json()["id"]
    assert moderator.delete(f"/v1/posts/{private}").status_code == 404
    assert not Action.objects.exists()
    assert thread.ann.client.get(f"/v1/posts/{private}").status_code == 200


def test_an_appeal_must_be_decided_by_another_moderator(thread: Thread, drain: Callable[[], int]) -> None:
    warning = actions.warn_user(moderator_id=MODERATOR_ID, user_id=int(thread.ann.id), reason="be kind")
    appeal = actions.file_appeal(user_id=int(thread.ann.id), action_id=warning.id, text="I was")
    with pytest.raises(Forbidden):
        actions.decide_appeal(moderator_id=MODERATOR_ID, appeal_id=appeal.id, is_accepted=False, answer="no")
    with override_settings(APPEALS_BY_SAME_MODERATOR=True):
        decided = actions.decide_appeal(moderator_id=MODERATOR_ID, appeal_id=appeal.id, is_accepted=False, answer=" ")
    assert decided.answer == "We reviewed our decision, and it stands."
    drain()
    assert messages(thread.ann)[0] == f"Your appeal was rejected: {decided.answer}"


def test_an_appeal_of_staff_is_decided_by_a_higher_rank_or_another_administrator(thread: Thread, register: Any) -> None:
    mona, ada = (int(register(name).id) for name in ("mona", "ada"))
    grant_role(user_id=mona, role="moderator")
    grant_role(user_id=ada, role="admin")
    for role in ("moderator", "admin"):
        warning = actions.warn_user(moderator_id=MODERATOR_ID, user_id=int(thread.ann.id), reason="be kind")
        appeal = actions.file_appeal(user_id=int(thread.ann.id), action_id=warning.id, text="I was")
        grant_role(user_id=int(thread.ann.id), role=role)
        with pytest.raises(Forbidden) as refused:
            actions.decide_appeal(moderator_id=mona, appeal_id=appeal.id, is_accepted=True, answer="")
        assert refused.value.code == "rank_too_high"
        decided = actions.decide_appeal(moderator_id=ada, appeal_id=appeal.id, is_accepted=False, answer="")
        assert decided.status == "rejected"
        revoke_role(user_id=int(thread.ann.id), role=role)


def test_an_appeal_accepted_without_a_text_gets_a_default_text(thread: Thread, drain: Callable[[], int]) -> None:
    warning = actions.warn_user(moderator_id=MODERATOR_ID, user_id=int(thread.ann.id), reason="be kind")
    appeal = actions.file_appeal(user_id=int(thread.ann.id), action_id=warning.id, text="I was")
    actions.decide_appeal(moderator_id=901, appeal_id=appeal.id, is_accepted=True, answer="")
    drain()
    assert messages(thread.ann)[0] == "Your appeal was accepted: We reviewed our decision and reversed it."


def test_a_suspension_expires(thread: Thread, drain: Callable[[], int]) -> None:
    ann, login = thread.ann, {"login": "ann", "password": "correct horse battery"}
    with pytest.raises(Invalid):
        actions.suspend_user(moderator_id=900, user_id=int(ann.id), until=timezone.now(), reason="past")
    until = timezone.now() + timedelta(hours=1)
    actions.suspend_user(moderator_id=MODERATOR_ID, user_id=int(ann.id), until=until, reason="rest a little")
    drain()
    assert JsonClient().post("/v1/auth/login", login).status_code == 403
    assert tasks.end_suspensions() == 0
    Suspension.objects.update(until=timezone.now())
    assert tasks.end_suspensions() == 1
    assert tasks.end_suspensions() == 0
    drain()
    assert JsonClient().post("/v1/auth/login", login).status_code == 200
    assert list(Action.objects.order_by("id").values_list("kind", flat=True)) == ["ban_user", "unban_user"]


def test_a_ban_outlasts_a_suspension(thread: Thread) -> None:
    until = timezone.now() + timedelta(hours=1)
    actions.suspend_user(moderator_id=MODERATOR_ID, user_id=int(thread.ann.id), until=until, reason="rest")
    actions.ban_user(moderator_id=MODERATOR_ID, user_id=int(thread.ann.id), reason="for good")
    assert not Suspension.objects.exists()


def test_two_moderators_cannot_take_the_same_case(thread: Thread) -> None:
    report(thread.cleo, "post", thread.post_id)
    report(thread.cleo, "comment", thread.comment_id)
    first, second = actions.take_next_case(moderator_id=1), actions.take_next_case(moderator_id=2)
    assert first is not None
    assert second is not None
    assert first.id != second.id
    assert actions.take_next_case(moderator_id=3) is None
    with pytest.raises(Conflict):
        actions.assign_case(case_id=first.id, moderator_id=2)
    actions.assign_case(case_id=first.id, moderator_id=None)
    assert actions.take_next_case(moderator_id=3) == first


def test_notes_can_be_added_and_closed_cases_reopened(thread: Thread) -> None:
    report(thread.cleo, "post", thread.post_id)
    case = Case.objects.get()
    note = actions.add_note(case_id=case.id, moderator_id=MODERATOR_ID, text=" seen before ")
    assert (note.text, CaseNote.objects.count()) == ("seen before", 1)
    with pytest.raises(Invalid):
        actions.add_note(case_id=case.id, moderator_id=MODERATOR_ID, text=" ")
    with pytest.raises(Conflict):
        actions.reopen_case(case_id=case.id, moderator_id=MODERATOR_ID)
    actions.dismiss_case(moderator_id=MODERATOR_ID, case_id=case.id, reason="fine")
    assert actions.reopen_case(case_id=case.id, moderator_id=MODERATOR_ID).is_open


def test_a_removal_is_written_once(thread: Thread) -> None:
    target = Target("post", int(thread.post_id), int(thread.ann.id))
    first = actions.remove_content(moderator_id=MODERATOR_ID, target=target, decision=actions.Decision(reason="spam"))
    assert (
        actions.remove_content(moderator_id=901, target=target, decision=actions.Decision(reason="spam")).id == first.id
    )
