"""Reporting: only visible content by others, one open report each, and a notification of the outcome."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from apps.moderation import actions
from apps.moderation.models import Action, Case, Outcome, Report
from apps.moderation.queries import Target
from socialapp.contracts.moderation import ContentRemoved, ReportFiled, ReportResolved, UserSanctioned
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.moderation.conftest import MODERATOR_ID, Thread, published, report

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def targets(thread: Thread) -> list[tuple[str, str]]:
    return [("post", thread.post_id), ("comment", thread.comment_id), ("user", thread.ann.id)]


def test_a_post_a_comment_and_a_user_can_be_reported(thread: Thread) -> None:
    for target_type, target_id in targets(thread):
        answer = report(thread.cleo, target_type, target_id, reason="hate", details="two\nlines")
        assert answer.status_code == 201, answer.content
        body = answer.json()
        expected = {
            "target_type": target_type,
            "target_id": target_id,
            "reason": "hate",
            "details": "two\nlines",
            "status": "open",
            "outcome": None,
            "resolved_at": None,
        }
        assert {name: body[name] for name in expected} == expected
        assert published()[-1] == ReportFiled(
            report_id=int(body["id"]),
            target_type=target_type,
            target_id=int(target_id),
            reporter_id=int(thread.cleo.id),
        )
    assert Case.objects.filter(closed_at=None).count() == 3


def test_repeating_an_open_report_returns_it(thread: Thread) -> None:
    first = report(thread.cleo, "post", thread.post_id)
    again = report(thread.cleo, "post", thread.post_id, reason="hate")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Report.objects.count() == 1
    assert Case.objects.get().reports_count == 1
    assert len(published()) == 1


def test_reports_by_several_people_share_a_case(thread: Thread) -> None:
    assert report(thread.cleo, "post", thread.post_id).status_code == 201
    assert report(thread.ben, "post", thread.post_id).status_code == 201
    assert Case.objects.get().reports_count == Report.objects.count() == 2


def test_the_idempotency_key_answers_the_same(thread: Thread) -> None:
    body = {"target_type": "post", "target_id": thread.post_id, "reason": "spam"}
    first = thread.cleo.client.post("/v1/reports", body, Idempotency_Key="k")
    thread.ann.client.delete(f"/v1/posts/{thread.post_id}")
    again = thread.cleo.client.post("/v1/reports", body, Idempotency_Key="k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    other = thread.cleo.client.post("/v1/reports", {**body, "reason": "hate"}, Idempotency_Key="k")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def refused(answer: Any, status: int) -> None:
    assert answer.status_code == status, answer.content
    assert not Report.objects.exists()
    assert not Case.objects.exists()
    assert published() == []


@pytest.mark.parametrize(
    ("details", "kept"), [("", "It is boring"), ("two\nlines", "It is boring\ntwo\nlines")], ids=["alone", "more"]
)
def test_a_free_text_reason_counts_as_other(thread: Thread, details: str, kept: str) -> None:
    answer = report(thread.cleo, "post", thread.post_id, reason="It is boring", details=details)
    assert answer.status_code == 201, answer.content
    assert (answer.json()["reason"], answer.json()["details"]) == ("other", kept)


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": ""},
        {"reason": "x" * 101},
        {"reason": "my own words", "details": "x" * 990},
        {"reason": None},
        {"target_type": "media"},
        {"target_id": 5},
        {"target_id": "x"},
        {"details": "x" * 1001},
        {"details": 5},
        {"details": "a\x00b"},
        {"extra": "field"},
    ],
)
def test_bad_input_is_rejected(thread: Thread, changes: dict[str, Any]) -> None:
    body = {"target_type": "post", "target_id": thread.post_id, "reason": "spam", **changes}
    refused(thread.cleo.client.post("/v1/reports", body), 422)


def test_malformed_json_and_missing_tokens_are_rejected(thread: Thread, anonymous: JsonClient) -> None:
    refused(thread.cleo.client.post("/v1/reports", b"{"), 400)
    refused(anonymous.post("/v1/reports", {"target_type": "post", "target_id": thread.post_id, "reason": "spam"}), 401)
    assert anonymous.get("/v1/reports").status_code == 401


def test_users_cannot_report_themselves_or_their_content(thread: Thread) -> None:
    refused(report(thread.ann, "user", thread.ann.id), 422)
    refused(report(thread.ann, "post", thread.post_id), 422)
    refused(report(thread.ben, "comment", thread.comment_id), 422)


def test_reporting_hidden_content_gets_404(thread: Thread, drain: Callable[[], int]) -> None:
    refused(report(thread.cleo, "post", "5"), 404)
    refused(report(thread.cleo, "comment", "5"), 404)
    refused(report(thread.cleo, "user", "5"), 404)
    private = thread.ann.client.post("/v1/posts", {"content": "for friends", "is_private": True}).json()["id"]
    drain()
    refused(report(thread.cleo, "post", private), 404)
    assert thread.ann.client.put(f"/v1/profiles/{thread.cleo.id}/block").status_code == 200
    drain()
    refused(report(thread.cleo, "post", thread.post_id), 404)


def test_deleted_content_cannot_be_reported(thread: Thread, drain: Callable[[], int]) -> None:
    assert thread.ann.client.delete(f"/v1/posts/{thread.post_id}").status_code == 204
    drain()
    refused(report(thread.cleo, "post", thread.post_id), 404)
    refused(report(thread.cleo, "comment", thread.comment_id), 404)


def post_target(thread: Thread) -> Target:
    return Target("post", int(thread.post_id), int(thread.ann.id))


def test_removal_closes_the_case_and_notifies_the_reporters(thread: Thread, drain: Callable[[], int]) -> None:
    by_cleo = report(thread.cleo, "post", thread.post_id).json()["id"]
    by_ben = report(thread.ben, "post", thread.post_id).json()["id"]
    action = actions.remove_content(
        moderator_id=MODERATOR_ID, target=post_target(thread), decision=actions.Decision(reason="spam")
    )
    resolved = {event.report_id: event for event in published() if isinstance(event, ReportResolved)}
    assert resolved == {
        int(report_id): ReportResolved(report_id=int(report_id), reporter_id=int(person.id), outcome="removed")
        for report_id, person in ((by_cleo, thread.cleo), (by_ben, thread.ben))
    }
    assert [event for event in published() if isinstance(event, ContentRemoved)] == [
        ContentRemoved(
            target_type="post",
            target_id=int(thread.post_id),
            author_id=int(thread.ann.id),
            action_id=action.id,
            reason="spam",
        )
    ]
    mine = thread.cleo.client.get("/v1/reports").json()["results"]
    assert [(item["id"], item["status"], item["outcome"]) for item in mine] == [(by_cleo, "resolved", "removed")]
    drain()
    assert thread.cleo.client.get(f"/v1/posts/{thread.post_id}").status_code == 404, (
        "the posts context removes the post"
    )
    before = len(published())
    assert (
        actions.remove_content(
            moderator_id=MODERATOR_ID, target=post_target(thread), decision=actions.Decision(reason="again")
        ).id
        == action.id
    )
    assert len(published()) == before


def test_removing_a_comment_leaves_the_post(thread: Thread, drain: Callable[[], int]) -> None:
    target = Target("comment", int(thread.comment_id), int(thread.ben.id))
    actions.remove_content(moderator_id=MODERATOR_ID, target=target, decision=actions.Decision(reason="spam"))
    drain()
    assert thread.cleo.client.get(f"/v1/comments/{thread.comment_id}").status_code == 404
    assert thread.cleo.client.get(f"/v1/posts/{thread.post_id}").status_code == 200


def test_a_dismissed_case_can_be_reported_again(thread: Thread) -> None:
    first = report(thread.cleo, "post", thread.post_id).json()["id"]
    case = Case.objects.get()
    actions.dismiss_case(moderator_id=MODERATOR_ID, case_id=case.id, reason="fine")
    assert thread.cleo.client.get("/v1/reports").json()["results"][0]["outcome"] == "dismissed"
    second = report(thread.cleo, "post", thread.post_id)
    assert second.status_code == 201
    assert second.json()["id"] != first
    assert Case.objects.filter(closed_at=None).get().id != case.id


def test_two_moderators_cannot_decide_the_same_case(thread: Thread) -> None:
    from socialapp.core.errors import Conflict

    report(thread.cleo, "user", thread.ann.id)
    case = Case.objects.get()
    actions.dismiss_case(moderator_id=MODERATOR_ID, case_id=case.id, reason="fine")
    before = len(published())
    with pytest.raises(Conflict):
        actions.ban_user(moderator_id=901, user_id=int(thread.ann.id), reason="no", case_id=case.id)
    with pytest.raises(Conflict):
        actions.dismiss_case(moderator_id=901, case_id=case.id, reason="no")
    assert Action.objects.count() == 1
    assert len(published()) == before


def test_a_ban_hides_the_user_until_it_is_lifted(thread: Thread, drain: Callable[[], int]) -> None:
    report(thread.cleo, "user", thread.ann.id)
    user_id = int(thread.ann.id)
    ban = actions.ban_user(moderator_id=MODERATOR_ID, user_id=user_id, reason="spam", case_id=Case.objects.get().id)
    sanction = next(event for event in published() if isinstance(event, UserSanctioned))
    assert sanction == UserSanctioned(user_id=user_id, action_id=ban.id, kind="ban", reason="spam", at=ban.created_at)
    assert Case.objects.get().outcome == Outcome.SANCTIONED
    drain()
    assert thread.cleo.client.get(f"/v1/profiles/{thread.ann.id}").status_code == 404
    assert thread.cleo.client.get(f"/v1/posts/{thread.post_id}").status_code == 404
    actions.unban_user(moderator_id=MODERATOR_ID, user_id=user_id, reason="sorry")
    drain()
    assert thread.cleo.client.get(f"/v1/profiles/{thread.ann.id}").status_code == 200
    assert thread.cleo.client.get(f"/v1/posts/{thread.post_id}").status_code == 200


def test_moderators_cannot_decide_about_themselves(thread: Thread) -> None:
    from socialapp.core.errors import Invalid

    with pytest.raises(Invalid):
        actions.unban_user(moderator_id=MODERATOR_ID, user_id=MODERATOR_ID, reason="me")
    assert not Action.objects.exists()
    assert published() == []


def test_deletion_by_the_author_closes_the_case(thread: Thread, drain: Callable[[], int]) -> None:
    report(thread.cleo, "post", thread.post_id)
    report(thread.cleo, "comment", thread.comment_id)
    thread.ann.client.delete(f"/v1/posts/{thread.post_id}")
    drain()
    assert {case.outcome for case in Case.objects.all()} == {"gone"}
    assert not Action.objects.exists(), "moderation took no action"
    outcomes = [item["outcome"] for item in thread.cleo.client.get("/v1/reports").json()["results"]]
    assert outcomes == ["gone", "gone"]
    messages = [item["message"] for item in thread.cleo.client.get("/v1/notifications").json()["results"]]
    assert [message for message in messages if "reported" in message] == [
        "What you reported is no longer there. Thank you for your report."
    ] * 2


def test_own_reports_are_listed_newest_first_without_gaps(
    thread: Thread, register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    made: list[Any] = []

    def write_and_report() -> None:
        post = thread.ann.client.post("/v1/posts", {"content": "more"}).json()["id"]
        drain()
        made.insert(0, report(thread.cleo, "post", post).json()["id"])

    for _ in range(5):
        write_and_report()
    expected = list(made)
    report(thread.ben, "post", thread.post_id)
    seen: list[str] = []
    url = "/v1/reports?limit=2"
    while url:
        page = thread.cleo.client.get(url).json()
        seen += [item["id"] for item in page["results"]]
        write_and_report()
        url = page["next"]
    assert seen == expected


def test_the_list_takes_the_same_queries_for_one_report_and_for_many(thread: Thread, drain: Callable[[], int]) -> None:
    def statements() -> int:
        with ExitStack() as stack:
            captures = [stack.enter_context(CaptureQueriesContext(connections[alias])) for alias in ALL_CONTEXTS]
            assert thread.cleo.client.get("/v1/reports?limit=50").status_code == 200
        return sum(len(capture) for capture in captures)

    report(thread.cleo, "post", thread.post_id)
    statements()
    few = statements()
    for number in range(49):
        target = Target("post", number + 1, int(thread.ann.id))
        actions.file_report(reporter_id=int(thread.cleo.id), target=target, reason="spam", details="")
    assert len(thread.cleo.client.get("/v1/reports?limit=50").json()["results"]) == 50
    assert statements() == few


def test_a_blocked_user_cannot_report_the_blocking_user(thread: Thread) -> None:
    assert thread.ann.client.put(f"/v1/profiles/{thread.cleo.id}/block").status_code == 200
    assert report(thread.cleo, "user", thread.ann.id).status_code == 404, "as if the account did not exist"
    assert not Report.objects.exists()
    assert published() == []
    assert report(thread.ann, "user", thread.cleo.id).status_code == 201, (
        "the blocking user may still report the blocked one"
    )


def test_reporting_has_its_own_rate_limit(thread: Thread, settings: Any) -> None:
    settings.RATE_LIMITS = True
    settings.RATES = {**settings.RATES, "report": (2, 3600)}
    for target in (("post", thread.post_id), ("comment", thread.comment_id)):
        assert report(thread.cleo, *target).status_code == 201
    refused = report(thread.cleo, "user", thread.ann.id)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused["Retry-After"]) > 0
    assert Report.objects.count() == 2
    assert thread.cleo.client.get("/v1/reports").status_code == 200, "reading does not count against the limit"
    assert report(thread.ben, "user", thread.ann.id).status_code == 201, "the limit is per person"
