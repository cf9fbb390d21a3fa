"""After an erasure nothing is left, and late events recreate nothing."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from apps.notifications import actions
from apps.notifications.actions import removal
from apps.notifications.actions.preferences import unsubscribe_token
from apps.notifications.models import (
    Notification,
    NotificationActor,
    NotificationPreference,
    NotificationSettings,
)
from socialapp.contracts.auth import UserDeleted
from socialapp.contracts.reactions import ReactionRemoved, ReactionSet
from socialapp.core.errors import NotFound
from socialapp.lifecycle.erasure_audit import audit_erasure
from socialapp.lifecycle.jobs import continue_jobs
from socialapp.lifecycle.removal import begin_removal, sweep
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.notifications.conftest import comment, notifications_of, post, react, subscription, unread
from tests.notifications.events import deliver_events, published

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_an_erasure_removes_everything_and_is_acknowledged_once(
    register: Callable[..., Person],
    drain: Callable[[], int],
    follow: Callable[[Person, Person], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("removal", "erasure"):
        monkeypatch.setattr(f"apps.notifications.actions.{module}.BATCH", 2)
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    follow(alice, bob)
    follow(bob, alice)
    carol.client.patch("/v1/profiles/me", {"is_private": True})
    bob.client.put(f"/v1/profiles/{carol.id}/follow")
    post_id = post(alice, "hi @bob")
    for person in (bob, carol):
        react(person, post_id)
        comment(person, post_id)
    for number in range(5):
        post(bob, f"number {number}, @alice")
    bob.client.post("/v1/push-subscriptions", subscription())
    bob.client.patch("/v1/notifications/preferences", {"reply": {"email": True}})
    drain()
    assert len(notifications_of(alice)) > 5

    assert bob.client.delete("/v1/auth/me", {"password": "correct horse battery"}).status_code == 202
    drain()
    erasures = published("user_erased")
    assert [one["user_id"] for one in erasures] == [int(bob.id)]
    left = [one for one in audit_erasure(int(bob.id)) if one.store in ("notifications", "redis") and not one.expected]
    assert left == []
    shown = notifications_of(alice)
    assert sorted(item["kind"] for item in shown) == ["comment", "reaction"]
    assert all([card["username"] for card in item["actors"]] == ["carol"] for item in shown)
    assert unread(alice) == 2
    assert notifications_of(carol) == []

    deliver_events(
        ReactionSet(
            target_type="post",
            target_id=int(post_id),
            target_author_id=int(alice.id),
            post_id=int(post_id),
            user_id=int(bob.id),
            reaction_type="like",
            previous=None,
            at=datetime.now(UTC),
        ),
        UserDeleted(user_id=int(bob.id), erasure_id=erasures[0]["erasure_id"]),
    )
    drain()
    assert Notification.objects.filter(actor_id=bob.id).count() == 0
    assert NotificationActor.objects.filter(actor_id=bob.id).count() == 0
    assert {one["erasure_id"] for one in published("user_erased")} == {erasures[0]["erasure_id"]}


def test_removals_are_bounded_and_complete(register: Callable[..., Person], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "BATCH", 3)
    alice = register("alice")
    post_id = post(alice)
    Notification.objects.bulk_create(
        Notification(user_id=n, kind="new_post", message="x", created_at=datetime.now(UTC), post_id=int(post_id))
        for n in range(1, 12)
    )
    begin_removal("notifications", kind="post", subject_id=int(post_id))
    assert Notification.objects.count() == 11 - 3
    assert continue_jobs("notifications", steps=50) == 3
    assert Notification.objects.count() == 0


def test_what_an_erased_person_sends_late_recreates_nothing(
    register: Callable[..., Person], anonymous: JsonClient, drain: Callable[[], int]
) -> None:
    """Links to unsubscribe never expire, and a request can overtake the erasure."""
    bob = register("bob")
    token = unsubscribe_token(user_id=int(bob.id), kind="comment")
    assert bob.client.delete("/v1/auth/me", {"password": "correct horse battery"}).status_code == 202
    drain()
    assert anonymous.post(f"/v1/notifications/unsubscribe?token={token}").status_code == 204
    with pytest.raises(NotFound):
        actions.change_preferences(user_id=int(bob.id), changes={"comment": {"push": False}})
    assert not NotificationPreference.objects.filter(user_id=bob.id).exists()
    assert not NotificationSettings.objects.filter(user_id=bob.id).exists()


def test_what_escapes_an_erasure_is_swept(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    """Rows that were written while the erasure ran, by transactions that began before it."""
    bob = register("bob")
    assert bob.client.delete("/v1/auth/me", {"password": "correct horse battery"}).status_code == 202
    drain()
    now = datetime.now(UTC)
    NotificationActor.objects.create(user_id=bob.id, topic="follow", actor_id=7, at=now, present=False)
    sweep("notifications")
    assert not NotificationActor.objects.exists()
    NotificationSettings.objects.create(user_id=bob.id)
    sweep("notifications")
    assert not NotificationSettings.objects.exists()


def test_undoing_an_activity_after_the_erasure_recreates_nothing(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob = register("alice"), register("bob")
    assert bob.client.delete("/v1/auth/me", {"password": "correct horse battery"}).status_code == 202
    drain()
    deliver_events(
        ReactionRemoved(
            target_type="post",
            target_id=7,
            target_author_id=int(alice.id),
            post_id=7,
            user_id=int(bob.id),
            reaction_type="like",
            at=datetime.now(UTC),
        )
    )
    assert not NotificationActor.objects.filter(actor_id=int(bob.id)).exists()
