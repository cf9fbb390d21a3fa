"""Notifications are created once for each activity, and removed again when it is undone."""

from collections.abc import Callable

import pytest

from tests.conftest import ALL_CONTEXTS, Person
from tests.notifications.conftest import comment, kinds, notifications_of, post, react, unread

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_followers_are_notified_of_a_new_post_and_nobody_else(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob, carol = register("alice", full_name="Alice A"), register("bob"), register("carol")
    assert bob.client.put(f"/v1/profiles/{alice.id}/follow").status_code == 200
    drain()
    post_id = post(alice)
    drain()

    [item] = notifications_of(bob)
    assert item == {
        "id": item["id"],
        "kind": "new_post",
        "message": "Alice A wrote a new post.",
        "actors": [{"id": alice.id, "username": "alice", "full_name": "Alice A", "profile_picture": None}],
        "actors_count": 1,
        "target": {"type": "post", "id": post_id, "url": f"/v1/posts/{post_id}"},
        "is_read": False,
        "created_at": item["created_at"],
        "group_id": None,
    }
    assert kinds(alice) == ["follow"]
    assert notifications_of(carol) == []
    assert (unread(bob), unread(carol)) == (1, 0)


def test_reactions_of_a_day_are_one_notification_with_several_actors(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    post_id = post(alice)
    drain()
    for person in (bob, carol):
        person.client.put(f"/v1/posts/{post_id}/reaction", {"reaction_type": "like"})
        drain()
    bob.client.put(f"/v1/posts/{post_id}/reaction", {"reaction_type": "love"})
    drain()

    [item] = notifications_of(alice)
    assert item["kind"] == "reaction"
    assert [actor["username"] for actor in item["actors"]] in (["carol", "bob"], ["bob", "carol"])
    assert item["actors_count"] == 2
    assert item["target"]["id"] == post_id
    assert unread(alice) == 1

    carol.client.delete(f"/v1/posts/{post_id}/reaction")
    drain()
    [item] = notifications_of(alice)
    assert ([actor["username"] for actor in item["actors"]], item["actors_count"]) == (["bob"], 1)
    bob.client.delete(f"/v1/posts/{post_id}/reaction")
    drain()
    assert notifications_of(alice) == []
    assert unread(alice) == 0


def test_one_person_gets_one_notification_for_a_comment(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob = register("alice"), register("bob")
    post_id = post(alice)
    parent = comment(alice, post_id)
    drain()
    reply = comment(bob, post_id, "hi @alice", parent_comment_id=parent)
    drain()

    [item] = notifications_of(alice)
    assert item["kind"] == "reply"
    assert item["target"] == {"type": "comment", "id": reply, "url": f"/v1/comments/{reply}"}

    bob.client.delete(f"/v1/comments/{reply}")
    drain()
    assert notifications_of(alice) == []
    assert unread(alice) == 0


def test_follows_are_grouped_and_unfollows_notify_nobody(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob, carol, dave = (register(name) for name in ("alice", "bob", "carol", "dave"))
    for person in (bob, carol, dave):
        person.client.put(f"/v1/profiles/{alice.id}/follow")
        drain()
    first = notifications_of(alice)
    assert [item["message"] for item in first] == ["dave, carol and bob followed you."]
    assert first[0]["target"] == {"type": "user", "id": alice.id, "url": f"/v1/profiles/{alice.id}"}

    carol.client.delete(f"/v1/profiles/{alice.id}/follow")
    drain()
    [item] = notifications_of(alice)
    assert item["id"] == first[0]["id"], "undoing something is not a new activity"
    assert ([card["username"] for card in item["actors"]], item["actors_count"]) == (["dave", "bob"], 2)


def test_a_joined_notification_gets_a_greater_id_keeps_its_group_and_is_unread_again(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    post_id = post(alice)
    react(bob, post_id)
    drain()
    [first] = notifications_of(alice)
    alice.client.post("/v1/notifications/read", {"ids": [first["id"]]})
    assert unread(alice) == 0
    react(carol, post_id)
    drain()
    [second] = notifications_of(alice)
    assert int(second["id"]) > int(first["id"])
    assert second["group_id"] == first["group_id"] is not None
    assert (second["is_read"], unread(alice)) == (False, 1)
    assert second["message"] == "carol and bob reacted to your post."


def test_more_actors_than_are_shown_are_counted_exactly(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice = register("alice")
    post_id = post(alice)
    for number in range(5):
        react(register(f"person{number}"), post_id)
        drain()
    [item] = notifications_of(alice)
    assert [card["username"] for card in item["actors"]] == ["person4", "person3", "person2"]
    assert item["actors_count"] == 5
    assert item["message"] == "person4, person3, person2 and 2 others reacted to your post."


def test_nobody_is_notified_of_their_own_actions(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    alice = register("alice")
    post_id = post(alice, "hello @alice")
    comment_id = comment(alice, post_id, "me again @alice")
    comment(alice, post_id, "and again", parent_comment_id=comment_id)
    react(alice, post_id)
    drain()
    assert notifications_of(alice) == []


def test_mentioned_users_are_notified_once_and_only_if_they_may_see_it(
    register: Callable[..., Person], drain: Callable[[], int], follow: Callable[[Person, Person], None]
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    follow(bob, alice)
    post(alice, "for friends: @bob @carol", is_private=True)
    drain()
    assert kinds(bob) == ["mention"], "a follower who is mentioned is notified of that, not that there is a new post"
    assert notifications_of(carol) == []
    post_id = post(alice, "for all: @carol")
    drain()
    [item] = notifications_of(carol)
    assert (item["kind"], item["target"]["id"]) == ("mention", post_id)
    alice.client.patch(f"/v1/posts/{post_id}", {"content": "for all: @carol and @bob"})
    drain()
    assert kinds(bob) == ["mention", "new_post", "mention"]
    assert kinds(carol) == ["mention"]
    alice.client.patch(f"/v1/posts/{post_id}", {"content": "for all: @bob"})
    drain()
    assert (kinds(bob), kinds(carol)) == (["mention", "new_post", "mention"], []), "an edit takes a mention back"
    assert (unread(bob), unread(carol)) == (3, 0)


def test_comments_reach_the_author_the_parent_and_the_mentioned(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob, carol, dave = (register(name) for name in ("alice", "bob", "carol", "dave"))
    post_id = post(alice)
    parent = comment(bob, post_id, "first @alice")
    drain()
    assert kinds(alice) == ["comment"]
    answer = comment(carol, post_id, "to @bob and @dave", parent_comment_id=parent)
    drain()
    assert (kinds(alice), kinds(bob), kinds(dave)) == (["comment", "comment"], ["reply"], ["mention"])
    carol.client.patch(f"/v1/comments/{answer}", {"content": "to nobody"})
    drain()
    assert (kinds(alice), kinds(bob), kinds(dave)) == (["comment", "comment"], ["reply"], [])
    carol.client.patch(f"/v1/comments/{answer}", {"content": "to @bob, @dave and @alice"})
    drain()
    assert (kinds(alice), kinds(bob), kinds(dave)) == (["comment", "comment"], ["reply"], ["mention"])
    carol.client.patch(f"/v1/comments/{answer}", {"content": "to nobody again"})
    drain()
    assert (kinds(alice), kinds(bob), kinds(dave)) == (["comment", "comment"], ["reply"], [])
    bob.client.delete(f"/v1/comments/{parent}")
    drain()
    assert unread(alice) == 1


def test_reposts_notify_and_their_removal_takes_it_back(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob = register("alice"), register("bob")
    post_id = post(alice)
    assert bob.client.put(f"/v1/posts/{post_id}/repost").status_code == 200
    drain()
    [item] = notifications_of(alice)
    assert (item["kind"], item["message"]) == ("repost", "bob reposted your post.")
    bob.client.delete(f"/v1/posts/{post_id}/repost")
    drain()
    assert notifications_of(alice) == []


def test_a_follow_request_notifies_until_it_is_answered_and_so_does_the_answer(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    alice.client.patch("/v1/profiles/me", {"is_private": True})
    for person in (bob, carol):
        person.client.put(f"/v1/profiles/{alice.id}/follow")
    drain()
    assert kinds(alice) == ["follow_request", "follow_request"]
    alice.client.post(f"/v1/follow-requests/{bob.id}/accept")
    alice.client.post(f"/v1/follow-requests/{carol.id}/reject")
    drain()
    assert notifications_of(alice) == []
    assert (kinds(bob), kinds(carol)) == (["follow_accepted"], [])
    carol.client.put(f"/v1/profiles/{alice.id}/follow")
    drain()
    assert kinds(alice) == ["follow_request"], "asking again is news again"


def test_muted_and_blocked_users_cause_no_notifications(
    register: Callable[..., Person], drain: Callable[[], int], follow: Callable[[Person, Person], None]
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    follow(alice, bob)
    post_id = post(alice)
    alice.client.put(f"/v1/profiles/{bob.id}/mute")
    drain()
    react(bob, post_id)
    comment(bob, post_id, "hi @alice")
    post(bob)
    react(carol, post_id)
    drain()
    assert kinds(alice) == ["reaction"]
    assert unread(alice) == 1
    alice.client.put(f"/v1/profiles/{carol.id}/block")
    drain()
    assert notifications_of(alice) == []
    assert unread(alice) == 0


def test_notices_of_moderators_arrive(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    from datetime import UTC, datetime

    from socialapp.contracts.moderation import ReportResolved, UserSanctioned
    from socialapp.core.db import atomic
    from socialapp.messaging.publish import publish

    alice = register("alice")
    with atomic("moderation"):
        now = datetime.now(UTC)
        publish(UserSanctioned(user_id=int(alice.id), action_id=5, kind="warn", reason="Be kind.", at=now))
        publish(ReportResolved(report_id=6, reporter_id=int(alice.id), outcome="removed"))
        publish(UserSanctioned(user_id=int(alice.id), action_id=7, kind="unban", reason="", at=now))
    drain()
    messages = {item["message"]: item for item in notifications_of(alice)}
    assert set(messages) == {
        "A moderator has warned you: Be kind.",
        "We removed what you reported. Thank you for your report.",
        "Your account is no longer banned.",
    }
    assert all(item["kind"] == "moderation" and item["actors"] == [] for item in messages.values())
    warning = messages["A moderator has warned you: Be kind."]
    assert (warning["action_id"], warning["target"]["type"], warning["target"]["id"]) == ("5", "user", alice.id)
    outcome = messages["We removed what you reported. Thank you for your report."]
    assert (outcome["action_id"], outcome["target"]) == (None, None)
    assert unread(alice) == 3


def test_a_kind_that_is_not_wanted_in_the_app_is_not_made(
    register: Callable[..., Person], drain: Callable[[], int], follow: Callable[[Person, Person], None]
) -> None:
    alice, bob = register("alice"), register("bob")
    follow(bob, alice)
    bob.client.patch("/v1/notifications/preferences", {"new_post": {"in_app": False}})
    alice.client.patch("/v1/notifications/preferences", {"reaction": {"in_app": False}})
    post_id = post(alice)
    react(bob, post_id)
    comment(bob, post_id)
    drain()
    assert (notifications_of(bob), kinds(alice)) == ([], ["comment", "follow"])
    bob.client.patch("/v1/notifications/preferences", {"new_post": {"in_app": True}})
    assert notifications_of(bob) == []
    post(alice)
    drain()
    assert kinds(bob) == ["new_post"]
