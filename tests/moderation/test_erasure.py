"""Erasing a user removes all their data, keeps that of others, and is acknowledged when done."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.moderation import actions, tasks
from apps.moderation.actions import erasure
from apps.moderation.models import Action, Appeal, Case, Report, SeenText, Suspension
from apps.moderation.queries import Target, check_log
from socialapp.contracts.auth import UserDeleted
from socialapp.contracts.lifecycle import context_erased
from socialapp.contracts.moderation import ContentRemoved, ReportResolved
from socialapp.core.errors import NotFound
from socialapp.core.ids import new_id
from socialapp.lifecycle.erasure_audit import audit_erasure
from socialapp.lifecycle.models import Job, Tombstone
from socialapp.lifecycle.removal import begin_removal, sweep
from socialapp.messaging.delivery import deliver
from socialapp.messaging.envelope import wrap
from tests.conftest import ALL_CONTEXTS
from tests.moderation.conftest import MODERATOR_ID, Thread, published, report

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def erase(user_id: str) -> None:
    envelope = wrap(UserDeleted(user_id=int(user_id), erasure_id=3), event_id=new_id())
    for _ in range(2):
        deliver("moderation", envelopes=[envelope])


def of_kind(kind: type) -> list[Any]:
    return [event for event in published() if isinstance(event, kind)]


def traces(user_id: str) -> dict[str, int]:
    person = int(user_id)
    rows = {
        "reports by": Report.objects.filter(reporter_id=person),
        "reports about": Report.objects.filter(target_type="user", target_id=person),
        "cases about": Case.objects.filter(author_id=person),
        "cases of the account": Case.objects.filter(target_type="user", target_id=person),
        "open keys": Case.objects.filter(open_key=f"user:{person}"),
        "report keys": Report.objects.filter(open_key__contains=user_id),
        "actions about": Action.objects.filter(user_id=person),
        "actions on the account": Action.objects.filter(target_type="user", target_id=person),
        "appeals": Appeal.objects.filter(user_id=person),
    }
    return {name: found.count() for name, found in rows.items() if found.exists()}


def test_erasure_removes_all_data_about_the_person(thread: Thread) -> None:
    report(thread.ann, "comment", thread.comment_id, details="my own words")
    report(thread.cleo, "user", thread.ann.id, details="about ann")
    by_ben = report(thread.ben, "post", thread.post_id, details="about ann's post").json()["id"]
    warning = actions.warn_user(moderator_id=MODERATOR_ID, user_id=int(thread.ann.id), reason="about ann")
    actions.file_appeal(user_id=int(thread.ann.id), action_id=warning.id, text="by ann")
    assert traces(thread.ann.id)
    erase(thread.ann.id)
    assert traces(thread.ann.id) == {}
    assert not Report.objects.exclude(details="").exists()
    (erased,) = of_kind(context_erased("moderation"))
    assert (erased.user_id, erased.erasure_id) == (int(thread.ann.id), 3)
    assert erased.rows["reports"] == 1
    assert check_log().problems == []
    mine = thread.ben.client.get("/v1/reports").json()["results"]
    assert [(item["id"], item["outcome"]) for item in mine] == [(by_ben, "gone")]
    by_cleo = thread.cleo.client.get("/v1/reports").json()["results"]
    assert [(item["target_id"], item["outcome"]) for item in by_cleo] == [(None, "gone")]
    assert {event.reporter_id for event in of_kind(ReportResolved)} == {int(thread.ben.id), int(thread.cleo.id)}
    assert Case.objects.get(target_type="comment").is_open, "the case that ann reported stays open"


def test_an_erased_reporter_is_not_notified(thread: Thread) -> None:
    report(thread.ann, "comment", thread.comment_id)
    erase(thread.ann.id)
    case = Case.objects.get()
    actions.dismiss_case(moderator_id=MODERATOR_ID, case_id=case.id, reason="fine")
    assert of_kind(ReportResolved) == []
    assert Report.objects.get().outcome == "dismissed"


def test_large_erasures_run_in_steps(thread: Thread, drain: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "BATCH", 2)
    for _ in range(5):
        actions.warn_user(moderator_id=MODERATOR_ID, user_id=int(thread.ann.id), reason="again")
    erase(thread.ann.id)
    assert Action.objects.filter(user_id=int(thread.ann.id)).count() == 3
    assert (Job.objects.using("moderation").count(), len(of_kind(context_erased("moderation")))) == (1, 0)
    drain()
    assert traces(thread.ann.id) == {}
    assert len(of_kind(context_erased("moderation"))) == 1
    assert check_log().problems == []


def test_deleting_the_account_erases_moderations_data(thread: Thread, drain: Callable[[], int]) -> None:
    report(thread.ann, "comment", thread.comment_id)
    report(thread.cleo, "user", thread.ann.id)
    actions.dismiss_case(
        moderator_id=MODERATOR_ID, case_id=Case.objects.get(target_type="user").id, reason="ann is fine"
    )
    report(thread.cleo, "user", thread.ann.id)
    warning = actions.warn_user(moderator_id=int(thread.ann.id), user_id=int(thread.ben.id), reason="by ann")
    drain()
    answer = thread.ann.client.delete("/v1/auth/me", {"password": "correct horse battery"})
    assert answer.status_code == 202, answer.content
    drain()
    assert traces(thread.ann.id) == {}
    assert len(of_kind(context_erased("moderation"))) == 1
    left = [residue for residue in audit_erasure(int(thread.ann.id)) if residue.store in ("moderation", "metrics")]
    assert {residue.place for residue in left if not residue.expected} == set()
    assert check_log().problems == []
    assert Action.objects.get(id=warning.id).reason == "by ann", "decisions about others stay"


def test_nothing_is_logged_about_an_erased_person(thread: Thread) -> None:
    """A decision, and a text that matches a word rule, both in progress when the person was erased."""
    actions.set_word_rule(moderator_id=MODERATOR_ID, pattern="plain", effect="remove", is_active=True)
    person = int(thread.ann.id)
    target = Target("post", int(thread.post_id), person)
    erase(thread.ann.id)
    entries = Action.objects.count()
    for decision in (
        lambda: actions.remove_content(
            moderator_id=MODERATOR_ID, target=target, decision=actions.Decision(reason="late")
        ),
        lambda: actions.ban_user(moderator_id=MODERATOR_ID, user_id=person, reason="late"),
    ):
        with pytest.raises(NotFound):
            decision()
    actions.check_text(target=target, text="a plain post")
    assert traces(thread.ann.id) == {}
    assert Action.objects.count() == entries
    assert not of_kind(ContentRemoved)
    assert check_log().problems == []


def test_a_ban_of_somebody_who_is_being_erased_does_not_keep_others_banned(thread: Thread) -> None:
    until = timezone.now() + timedelta(days=1)
    for person in (thread.ann, thread.ben):
        actions.suspend_user(moderator_id=MODERATOR_ID, user_id=int(person.id), until=until, reason="spam")
    Tombstone.objects.using("moderation").create(subject_id=int(thread.ann.id), kind="user")
    Suspension.objects.update(until=timezone.now())
    tasks.end_suspensions()
    assert list(Suspension.objects.values_list("user_id", flat=True)) == [int(thread.ann.id)]
    assert Action.objects.get(kind="unban_user").user_id == int(thread.ben.id)


def test_what_a_check_writes_during_the_erasure_is_swept(thread: Thread) -> None:
    """Of a text whose check began before the erasure and ended after it."""
    person = int(thread.ann.id)
    erase(thread.ann.id)
    Tombstone.objects.using("moderation").filter(subject_id=person).delete()
    actions.check_text(target=Target("post", int(thread.post_id), person), text="a plain post")
    Tombstone.objects.using("moderation").create(subject_id=person, kind="user")
    written = SeenText.objects.filter(author_id=person)
    assert written.count() == 1
    assert sweep("moderation") == 1
    assert not written.exists()
    assert sweep("moderation") == 0


def test_an_appeal_written_during_the_erasure_is_deleted_too(thread: Thread, monkeypatch: pytest.MonkeyPatch) -> None:
    person = int(thread.ann.id)
    warning = actions.warn_user(moderator_id=MODERATOR_ID, user_id=person, reason="about ann")
    redact = erasure.redact_entries  # type: ignore[attr-defined]

    def file_meanwhile(**arguments: Any) -> int:
        actions.file_appeal(user_id=person, action_id=warning.id, text="by ann")
        return redact(**arguments)

    monkeypatch.setattr(erasure, "redact_entries", file_meanwhile)
    begin_removal("moderation", kind="user", subject_id=person, erasure_id=3)
    assert traces(thread.ann.id) == {}
