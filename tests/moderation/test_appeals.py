"""Appeals: only the person concerned may appeal, once; each is decided once; accepting one lifts the decision."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from apps.auth.actions import send_due_mails
from apps.moderation import actions
from apps.moderation.models import Action, Appeal, Suspension
from apps.moderation.queries import Target
from socialapp.contracts.moderation import AppealDecided, UserSanctioned
from socialapp.core.errors import Conflict, Invalid
from tests.conftest import ALL_CONTEXTS, JsonClient
from tests.moderation.conftest import MODERATOR_ID, Thread, published

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


@pytest.fixture
def warning(thread: Thread) -> Action:
    return actions.warn_user(moderator_id=MODERATOR_ID, user_id=int(thread.ann.id), reason="be kind")


def appeal(thread: Thread, action: Action, **changes: Any) -> Any:
    return thread.ann.client.post("/v1/appeals", {"action_id": str(action.id), "text": "I was kind", **changes})


def test_the_person_concerned_sees_the_decision_and_can_appeal(thread: Thread, warning: Action) -> None:
    listed = thread.ann.client.get("/v1/moderation/actions").json()["results"]
    assert [(item["id"], item["kind"], item["reason"]) for item in listed] == [
        (str(warning.id), "warn_user", "be kind")
    ]
    assert "moderator_id" not in listed[0]
    answer = appeal(thread, warning)
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert (body["action_id"], body["text"], body["status"], body["answer"]) == (
        str(warning.id),
        "I was kind",
        "open",
        "",
    )
    assert thread.ann.client.get("/v1/appeals").json()["results"] == [body]
    assert thread.ben.client.get("/v1/appeals").json()["results"] == []
    assert thread.ben.client.get("/v1/moderation/actions").json()["results"] == []


def test_an_action_can_be_appealed_once(thread: Thread, warning: Action) -> None:
    assert appeal(thread, warning).status_code == 201
    again = appeal(thread, warning)
    assert (again.status_code, again.json()["code"]) == (409, "already_appealed")
    assert Appeal.objects.count() == 1


def test_the_idempotency_key_answers_the_same(thread: Thread, warning: Action) -> None:
    body = {"action_id": str(warning.id), "text": "I was kind"}
    first = thread.ann.client.post("/v1/appeals", body, Idempotency_Key="k")
    again = thread.ann.client.post("/v1/appeals", body, Idempotency_Key="k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content


def test_other_users_and_unknown_actions_get_404(thread: Thread, warning: Action, anonymous: JsonClient) -> None:
    body = {"action_id": str(warning.id), "text": "let them"}
    assert thread.ben.client.post("/v1/appeals", body).status_code == 404
    assert appeal(thread, warning, action_id="5").status_code == 404
    assert anonymous.post("/v1/appeals", body).status_code == 401
    lifted = actions.unban_user(moderator_id=MODERATOR_ID, user_id=int(thread.ann.id), reason="x")
    assert appeal(thread, lifted).status_code == 404, "a decision in one's favor cannot be appealed"
    assert not Appeal.objects.exists()


@pytest.mark.parametrize("changes", [{"text": ""}, {"text": "x" * 2001}, {"text": 5}, {"action_id": 5}, {"more": 1}])
def test_bad_input_is_rejected(thread: Thread, warning: Action, changes: dict[str, Any]) -> None:
    assert appeal(thread, warning, **changes).status_code == 422
    assert not Appeal.objects.exists()


def test_lifting_the_decision_accepts_the_open_appeal(thread: Thread, drain: Callable[[], int]) -> None:
    target = Target("post", int(thread.post_id), int(thread.ann.id))
    removal = actions.remove_content(moderator_id=MODERATOR_ID, target=target, decision=actions.Decision(reason="spam"))
    drain()
    assert appeal(thread, removal).status_code == 201
    actions.lift_action(moderator_id=901, action_id=removal.id, reason="it was none")
    made = Appeal.objects.get()
    assert (made.status, made.answer) == (Appeal.Status.ACCEPTED, "We reviewed our decision and reversed it.")
    assert [event.is_accepted for event in published() if isinstance(event, AppealDecided)] == [True]
    with pytest.raises(Conflict):
        actions.decide_appeal(moderator_id=902, appeal_id=made.id, is_accepted=False, answer="")
    assert Action.objects.filter(reverses_id=removal.id).count() == 1


def test_an_accepted_appeal_lifts_the_ban(thread: Thread, drain: Callable[[], int]) -> None:
    user_id = int(thread.ann.id)
    ban = actions.ban_user(moderator_id=MODERATOR_ID, user_id=user_id, reason="spam")
    drain()
    made = actions.file_appeal(user_id=user_id, action_id=ban.id, text="no spam")
    actions.decide_appeal(moderator_id=901, appeal_id=made.id, is_accepted=True, answer="you are right")
    kinds = [event.kind for event in published() if isinstance(event, UserSanctioned)]
    assert kinds == ["ban", "unban"]
    drain()
    assert thread.cleo.client.get(f"/v1/profiles/{thread.ann.id}").status_code == 200
    made.refresh_from_db()
    assert (made.status, made.answer) == ("accepted", "you are right")
    assert list(Action.objects.order_by("sequence").values_list("kind", flat=True)) == [
        "ban_user",
        "decide_appeal",
        "unban_user",
    ]


@pytest.mark.parametrize("way", ["lifted", "lifted while appealed", "appeal accepted", "over"])
def test_the_end_of_a_ban_is_mailed_once_and_notified(thread: Thread, drain: Callable[[], int], way: str) -> None:
    user_id, until = int(thread.ann.id), timezone.now() + timedelta(days=1)
    ban = actions.suspend_user(moderator_id=MODERATOR_ID, user_id=user_id, until=until, reason="spam")
    drain()
    send_due_mails()
    mail.outbox.clear()
    if "appeal" in way:
        made = actions.file_appeal(user_id=user_id, action_id=ban.id, text="no spam")
    match way:
        case "appeal accepted":
            actions.decide_appeal(moderator_id=901, appeal_id=made.id, is_accepted=True, answer="you are right")
        case "over":
            actions.end_suspension(suspension_id=Suspension.objects.get().id)
        case _:
            actions.lift_action(moderator_id=901, action_id=ban.id, reason="enough")
    drain()
    send_due_mails()
    subject = "The answer to your appeal" if "appeal" in way else "Your account is no longer banned"
    assert [(one.subject, one.to) for one in mail.outbox] == [(subject, ["ann@example.org"])]
    login = {"login": "ann", "password": "correct horse battery"}
    ann = JsonClient(JsonClient().post("/v1/auth/login", login).json()["access"])
    told = [item["message"] for item in ann.get("/v1/notifications").json()["results"]]
    assert any(message.startswith("Your account is no longer banned: ") for message in told)


@pytest.mark.parametrize("has_ended", [False, True])
def test_an_appeal_against_an_earlier_ban_leaves_the_later_one(
    thread: Thread, drain: Callable[[], int], has_ended: bool
) -> None:
    user_id = int(thread.ann.id)
    until = timezone.now() + timedelta(days=1)
    first = actions.suspend_user(moderator_id=MODERATOR_ID, user_id=user_id, until=until, reason="spam")
    made = actions.file_appeal(user_id=user_id, action_id=first.id, text="no spam")
    if has_ended:
        actions.end_suspension(suspension_id=Suspension.objects.get().id)
    later = actions.ban_user(moderator_id=901, user_id=user_id, reason="threats")
    drain()
    actions.decide_appeal(moderator_id=902, appeal_id=made.id, is_accepted=True, answer="it was none")
    with pytest.raises(Conflict):
        actions.lift_action(moderator_id=902, action_id=first.id, reason="it was none")
    drain()
    assert thread.cleo.client.get(f"/v1/profiles/{thread.ann.id}").status_code == 404
    actions.lift_action(moderator_id=902, action_id=later.id, reason="enough")
    drain()
    assert thread.cleo.client.get(f"/v1/profiles/{thread.ann.id}").status_code == 200


def test_a_rejected_appeal_changes_nothing_else(thread: Thread, warning: Action) -> None:
    made = actions.file_appeal(user_id=int(thread.ann.id), action_id=warning.id, text="no")
    before = len(published())
    actions.decide_appeal(moderator_id=901, appeal_id=made.id, is_accepted=False, answer="it stands")
    decided = published()[before:]
    assert [(type(event), event.user_id, event.is_accepted, event.answer) for event in decided] == [
        (AppealDecided, int(thread.ann.id), False, "it stands")
    ]
    assert thread.ann.client.get("/v1/appeals").json()["results"][0]["answer"] == "it stands"
    with pytest.raises(Conflict):
        actions.decide_appeal(moderator_id=902, appeal_id=made.id, is_accepted=True, answer="no, it does not")
    assert Action.objects.filter(kind="decide_appeal").count() == 1


def test_a_removal_can_be_appealed(thread: Thread, drain: Callable[[], int]) -> None:
    target = Target("post", int(thread.post_id), int(thread.ann.id))
    removal = actions.remove_content(moderator_id=MODERATOR_ID, target=target, decision=actions.Decision(reason="spam"))
    drain()
    assert appeal(thread, removal).status_code == 201


@pytest.mark.parametrize("kind", ["remove", "hide"])
@pytest.mark.parametrize(("is_accepted", "outcome"), [(True, "accepted"), (False, "rejected")])
def test_an_author_is_told_the_answer_to_an_appeal_about_a_post(
    thread: Thread, drain: Callable[[], int], kind: str, is_accepted: bool, outcome: str
) -> None:
    target = Target("post", int(thread.post_id), int(thread.ann.id))
    action = actions.carry_out(actions.Act(decision=kind, target=target, moderator_id=MODERATOR_ID, reason="spam"))
    drain()
    made = actions.file_appeal(user_id=int(thread.ann.id), action_id=action.id, text="no spam")
    actions.decide_appeal(moderator_id=901, appeal_id=made.id, is_accepted=is_accepted, answer="we read it twice")
    drain()
    told = [
        item for item in thread.ann.client.get("/v1/notifications").json()["results"] if "appeal was" in item["message"]
    ]
    assert [(item["message"], item["action_id"], item["target"]["id"]) for item in told] == [
        (f"Your appeal was {outcome}: we read it twice", str(action.id), thread.post_id)
    ]


def test_moderators_cannot_decide_their_own_appeal(thread: Thread, warning: Action) -> None:
    made = actions.file_appeal(user_id=int(thread.ann.id), action_id=warning.id, text="no")
    with pytest.raises(Invalid):
        actions.decide_appeal(moderator_id=int(thread.ann.id), appeal_id=made.id, is_accepted=True, answer="yes")
    made.refresh_from_db()
    assert made.status == "open"
    assert not Action.objects.filter(kind="decide_appeal").exists()
