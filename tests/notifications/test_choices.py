"""Users' choices: deleting notifications, muting conversations, and kinds that cannot be switched off."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from apps.notifications.models import MutedConversation, NotificationPreference
from socialapp.contracts.base import event_type
from socialapp.contracts.comments import CommentCreated
from socialapp.contracts.moderation import ContentRemoved
from socialapp.contracts.posts import PostMuted, PostUnmuted, Reposted
from socialapp.contracts.reactions import ReactionSet
from socialapp.messaging.delivery import deliver
from tests.conftest import ALL_CONTEXTS, Person
from tests.events import published_by
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
    mute = f"/v1/posts/{post_id}/mute"
    assert alice.client.put(mute).status_code == 200
    react(bob, post_id)
    bob.client.put(f"/v1/posts/{post_id}/repost")
    comment(bob, post_id, "hi @alice")
    comment(bob, other)
    drain()
    assert kinds(alice) == ["comment"]
    assert alice.client.delete(mute).status_code == 200
    comment(bob, post_id)
    drain()
    assert kinds(alice) == ["comment", "comment"]


@pytest.mark.parametrize("activity", [ReactionSet, CommentCreated, Reposted])
def test_a_mute_and_its_end_count_at_once_however_late_their_events_arrive(
    register: Callable[..., Person], drain: Callable[[], int], activity: type
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    post_id = post(alice)
    drain()

    def act(person: Person) -> None:
        react(person, post_id)
        comment(person, post_id)
        assert person.client.put(f"/v1/posts/{post_id}/repost").status_code == 200
        name = event_type(activity).name
        deliver("notifications", envelopes=published_by(name.partition(".")[0], name)[-1:])

    alice.client.put(f"/v1/posts/{post_id}/mute")
    act(bob)
    assert kinds(alice) == []
    deliver("notifications", envelopes=published_by("posts", "posts.post_muted"))
    alice.client.delete(f"/v1/posts/{post_id}/mute")
    act(carol)
    assert [item["actors"][0]["username"] for item in notifications_of(alice)] == ["carol"]
    deliver("notifications", envelopes=published_by("posts", "posts.post_unmuted"))
    assert (len(kinds(alice)), unread(alice)) == (1, 1)


def test_the_previous_release_finds_the_muted_conversations(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice = register("alice")
    post_id = post(alice)
    drain()
    now = datetime.now(UTC)
    names = {"post_id": int(post_id), "user_id": int(alice.id)}
    muted, unmuted = PostMuted(**names, at=now), PostUnmuted(**names, at=now + timedelta(seconds=1))
    deliver_events(muted, muted)
    assert list(MutedConversation.objects.values_list("muted", flat=True)) == [True]
    deliver_events(unmuted, muted)
    assert list(MutedConversation.objects.values_list("muted", flat=True)) == [False]
    alice.client.delete(f"/v1/posts/{post_id}")
    drain()
    deliver_events(muted)
    assert MutedConversation.objects.count() == 0


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
