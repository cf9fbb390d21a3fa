"""All entry points of moderation have the same results: log entry, notification, effect, appeal and undo."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from apps.auth.actions import grant_role
from apps.moderation import actions
from apps.moderation.models import Action, Case, Proposal
from apps.moderation.queries import check_log
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.moderation.conftest import MODERATOR_ID, Thread, enter, messages, report

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

CASES = "/admin/moderation/case/"
Door = Callable[[Thread, Person, str], Any]


def _from_the_case(thread: Thread, mia: Person, decision: str) -> None:
    report(thread.cleo, "post", thread.post_id)
    path = f"{CASES}{Case.objects.get().id}/decide/"
    assert enter(mia).post(path, {"decision": decision, "reason": "spam"}).status_code == 302


def _without_a_report(thread: Thread, mia: Person, decision: str) -> None:
    path = f"{CASES}about/post/{thread.post_id}/"
    assert enter(mia).post(path, {"decision": decision, "reason": "spam"}).status_code == 302


def _in_bulk(thread: Thread, mia: Person, decision: str) -> None:
    report(thread.cleo, "post", thread.post_id)
    chosen = {"action": f"{decision}_selected", "_selected_action": [Case.objects.get().id], "reason": "spam"}
    assert enter(mia).post(CASES, chosen).status_code == 302


def _by_a_task(thread: Thread, mia: Person, decision: str) -> None:
    report(thread.cleo, "post", thread.post_id)
    ids = [Case.objects.get().id]
    actions.start_bulk_decision(decision=decision, case_ids=ids, moderator_id=int(mia.id), reason="spam")
    assert actions.continue_bulk_decisions() == 1


def _api_of_mia() -> JsonClient:
    """With a token that has her new role."""
    login = {"login": "mia", "password": "correct horse battery"}
    return JsonClient(JsonClient().post("/v1/auth/login", login).json()["access"])


def _through_the_api(thread: Thread, mia: Person, decision: str) -> None:
    assert _api_of_mia().delete(f"/v1/posts/{thread.post_id}").status_code == 204


def _from_the_list_of_posts(thread: Thread, mia: Person, decision: str) -> None:
    grant_role(user_id=int(mia.id), role="admin")
    chosen = {"action": "remove", "_selected_action": [thread.post_id]}
    assert enter(mia).post("/admin/posts/post/", chosen).status_code == 302


def _by_a_rule(thread: Thread, mia: Person, decision: str) -> None:
    actions.set_word_rule(moderator_id=MODERATOR_ID, pattern="plain", effect="remove", is_active=True)
    assert thread.ann.client.patch(f"/v1/posts/{thread.post_id}", {"content": "a plain post again"}).status_code == 200


def _by_the_operator(thread: Thread, mia: Person, decision: str) -> None:
    call_command("users", decision, "ann", reason="spam", stdout=StringIO())


@pytest.mark.parametrize(
    "door",
    [
        _from_the_case,
        _without_a_report,
        _in_bulk,
        _by_a_task,
        _through_the_api,
        _from_the_list_of_posts,
        _by_a_rule,
    ],
)
def test_a_removal_has_the_same_results_from_every_entry_point(
    thread: Thread, register: Callable[..., Person], drain: Callable[[], int], door: Door
) -> None:
    mia = register("mia")
    grant_role(user_id=int(mia.id), role="moderator")
    door(thread, mia, "remove")
    drain()
    [entry] = Action.objects.exclude(kind="change_rule")
    assert (entry.kind, entry.target_type, entry.target_id) == ("remove_content", "post", int(thread.post_id))
    assert (entry.user_id, bool(entry.reason)) == (int(thread.ann.id), True)
    assert entry.moderator_id == (None if door is _by_a_rule else int(mia.id))
    assert thread.cleo.client.get(f"/v1/posts/{thread.post_id}").status_code == 404
    assert len(messages(thread.ann)) == 1
    assert not Case.objects.filter(closed_at=None).exists()
    [listed] = thread.ann.client.get("/v1/moderation/actions").json()["results"]
    assert listed["id"] == str(entry.id)
    assert thread.ann.client.post("/v1/appeals", {"action_id": listed["id"], "text": "no"}).status_code == 201
    actions.lift_action(moderator_id=901, action_id=entry.id, reason="wrong")
    drain()
    assert thread.cleo.client.get(f"/v1/posts/{thread.post_id}").status_code == 200
    assert thread.ann.client.get("/v1/appeals").json()["results"][0]["status"] == "accepted"
    assert check_log().problems == []


def _by_two_administrators(thread: Thread, mia: Person, decision: str) -> None:
    for person in (mia, thread.cleo, thread.ann):
        grant_role(user_id=int(person.id), role="admin")
    _without_a_report(thread, thread.cleo, decision)
    chosen = {"action": "confirm", "_selected_action": [Proposal.objects.get().id]}
    assert enter(mia).post("/admin/moderation/proposal/", chosen).status_code == 302


@pytest.mark.parametrize(
    "door", [_from_the_case, _without_a_report, _in_bulk, _by_a_task, _by_the_operator, _by_two_administrators]
)
def test_a_ban_has_the_same_results_from_every_entry_point(
    thread: Thread, register: Callable[..., Person], drain: Callable[[], int], door: Door
) -> None:
    mia = register("mia")
    grant_role(user_id=int(mia.id), role="moderator")
    door(thread, mia, "ban")
    drain()
    entry = Action.objects.get()
    assert (entry.kind, entry.user_id, entry.reason) == ("ban_user", int(thread.ann.id), "spam")
    assert entry.moderator_id == (None if door is _by_the_operator else int(mia.id))
    assert thread.ben.client.get(f"/v1/profiles/{thread.ann.id}").status_code == 404
    actions.lift_action(moderator_id=int(mia.id), action_id=entry.id, reason="wrong")
    drain()
    assert thread.ben.client.get(f"/v1/profiles/{thread.ann.id}").status_code == 200
    assert check_log().problems == []


@pytest.mark.parametrize("kind", ["posts", "comments"])
def test_a_moderator_removes_only_the_version_that_they_read(
    thread: Thread, register: Callable[..., Person], drain: Callable[[], int], kind: str
) -> None:
    mia = register("mia")
    grant_role(user_id=int(mia.id), role="moderator")
    path = f"/v1/posts/{thread.post_id}" if kind == "posts" else f"/v1/comments/{thread.comment_id}"
    author, api = thread.ann if kind == "posts" else thread.ben, _api_of_mia()
    read = api.get(path).headers["ETag"]
    assert author.client.patch(path, {"content": "harmless again"}).status_code == 200
    assert api.delete(path, If_Match=read).status_code == 412
    assert not Action.objects.exists()
    assert api.delete(path, If_Match=api.get(path).headers["ETag"]).status_code == 204
    drain()
    assert Action.objects.get().kind == "remove_content"


@pytest.mark.parametrize("door", [_from_the_case, _without_a_report, _in_bulk, _by_a_task, _through_the_api])
def test_every_entry_point_checks_the_rank(thread: Thread, register: Callable[..., Person], door: Door) -> None:
    mia = register("mia")
    for person in (mia, thread.ann):
        grant_role(user_id=int(person.id), role="moderator")
    try:
        door(thread, mia, "remove")
    except AssertionError:
        assert door is _through_the_api, "the API rejects it, the pages show a message"
    assert not Action.objects.exists()
    assert thread.cleo.client.get(f"/v1/posts/{thread.post_id}").status_code == 200
