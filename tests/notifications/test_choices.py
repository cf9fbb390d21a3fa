"""Users' choices: deleting notifications, muting conversations, and kinds that cannot be switched off."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from apps.notifications.models import MutedConversation, NotificationPreference
from socialapp.contracts.moderation import ContentRemoved
from socialapp.contracts.posts import PostMuted, PostUnmuted
from tests.conftest import ALL_CONTEXTS, Person
from tests.notifications.conftest import comment, kinds, notifications_of, post, react, unread
from tests.notifications.events import deliver_events

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_a_deleted_notification_is_gone_and_later_activity_does_not_name_the_same_people_again(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    post_id = post(alice)
    react(bob, post_id)
    drain()
    [item] = notifications_of(alice)
    path = f"/v1/notifications/{item['id']}"
    assert bob.client.delete(path).status_code == 404
    assert unread(alice) == 1
    assert alice.client.delete(path).status_code == 204
    assert (notifications_of(alice), unread(alice)) == ([], 0)
    assert alice.client.delete(path).status_code == 404
    react(carol, post_id)
    drain()
    [second] = notifications_of(alice)
    assert ([actor["username"] for actor in second["actors"]], second["actors_count"]) == (["carol"], 1)
    bob.client.delete(f"/v1/posts/{post_id}/reaction")
    drain()
    react(bob, post_id, "love")
    drain()
    [third] = notifications_of(alice)
    assert [actor["username"] for actor in third["actors"]] == ["bob", "carol"]


def test_a_muted_conversation_notifies_nobody_who_muted_it(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob = register("alice"), register("bob")
    post_id, other = post(alice), post(alice)
    drain()
    now = datetime.now(UTC)
    muted = PostMuted(post_id=int(post_id), user_id=int(alice.id), at=now)
    deliver_events(muted, muted)
    react(bob, post_id)
    comment(bob, post_id, "hi @alice")
    comment(bob, other)
    drain()
    assert kinds(alice) == ["comment"]
    unmuted = PostUnmuted(post_id=int(post_id), user_id=int(alice.id), at=now + timedelta(seconds=1))
    deliver_events(unmuted, muted)
    comment(bob, post_id)
    drain()
    assert kinds(alice) == ["comment", "comment"]
    alice.client.delete(f"/v1/posts/{post_id}")
    drain()
    assert MutedConversation.objects.count() == 0
    deliver_events(muted)
    assert MutedConversation.objects.count() == 0


def test_a_mute_that_is_delivered_late_takes_back_what_others_did_after_it(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    post_id, other = post(alice), post(alice)
    react(bob, post_id)
    drain()
    muted_at = datetime.now(UTC)
    react(carol, post_id)
    comment(bob, post_id)
    comment(bob, other)
    drain()
    assert sorted(kinds(alice)) == ["comment", "comment", "reaction"]
    muted = PostMuted(post_id=int(post_id), user_id=int(alice.id), at=muted_at)
    unmuted = PostUnmuted(post_id=int(post_id), user_id=int(alice.id), at=muted_at - timedelta(seconds=1))
    deliver_events(muted, unmuted, muted)
    left = {item["kind"]: item for item in notifications_of(alice)}
    assert (sorted(kinds(alice)), unread(alice)) == (["comment", "reaction"], 2)
    assert [actor["username"] for actor in left["reaction"]["actors"]] == ["bob"]
    assert left["reaction"]["actors_count"] == 1


def test_a_mute_that_was_undone_meanwhile_removes_nothing(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob = register("alice"), register("bob")
    post_id = post(alice)
    muted_at = datetime.now(UTC)
    comment(bob, post_id)
    drain()
    names = {"post_id": int(post_id), "user_id": int(alice.id)}
    deliver_events(PostUnmuted(**names, at=muted_at + timedelta(seconds=1)), PostMuted(**names, at=muted_at))
    assert kinds(alice) == ["comment"]


def test_notices_of_moderation_cannot_be_switched_off_and_name_action_and_target(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice = register("alice")
    path = "/v1/notifications/preferences"
    refused = alice.client.patch(path, {"moderation": {"in_app": False}, "follow": {"push": False}})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "moderation")
    assert NotificationPreference.objects.count() == 0
    assert alice.client.patch(path, {"moderation": {"push": False, "in_app": True}}).status_code == 200
    NotificationPreference.objects.filter(user_id=int(alice.id)).update(in_app=False)  # of an earlier release
    post_id = post(alice)
    removed = ContentRemoved(
        target_type="post", target_id=int(post_id), author_id=int(alice.id), action_id=77, reason="spam"
    )
    alice.client.delete(f"/v1/posts/{post_id}")
    drain()
    deliver_events(removed, removed)
    [notice] = notifications_of(alice)
    assert notice["message"] == "A moderator has removed your post: spam"
    assert notice["action_id"] == "77"
    assert notice["target"] == {"type": "post", "id": post_id, "url": f"/v1/posts/{post_id}"}


def test_bidirectional_names_do_not_turn_the_sentence_around(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob = register("alice"), register("bob", full_name="שלום")
    react(bob, post(alice))
    drain()
    assert notifications_of(alice)[0]["message"] == "\u2068שלום\u2069 reacted to your post."
