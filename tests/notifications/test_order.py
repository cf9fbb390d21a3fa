"""Events twice, late and out of order, and what is gone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from apps.notifications.models import Notification, NotificationActor, NotificationGroup
from socialapp.contracts.comments import CommentCreated, CommentDeleted, CommentEdited
from socialapp.contracts.posts import PostCreated, PostDeleted, PostEdited, Reposted, Unreposted
from socialapp.contracts.reactions import ReactionRemoved, ReactionSet
from socialapp.contracts.users import Followed, FollowRequested, FollowRequestWithdrawn, Unfollowed
from tests.conftest import ALL_CONTEXTS, Person
from tests.notifications.conftest import comment, kinds, notifications_of, post, unread
from tests.notifications.events import deliver_events

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

NOW = datetime.now(UTC)
NOON = NOW.replace(hour=12, minute=0, second=0, microsecond=0)


def reaction(alice: Person, bob: Person, post_id: Any, *, at: Any = NOW, reaction_type: str = "like") -> Any:
    return ReactionSet(
        target_type="post",
        target_id=int(post_id),
        target_author_id=int(alice.id),
        post_id=int(post_id),
        user_id=int(bob.id),
        reaction_type=reaction_type,
        previous=None,
        at=at,
    )


def no_reaction(alice: Person, bob: Person, post_id: Any, *, at: Any = NOW) -> Any:
    return ReactionRemoved(
        target_type="post",
        target_id=int(post_id),
        target_author_id=int(alice.id),
        post_id=int(post_id),
        user_id=int(bob.id),
        reaction_type="like",
        at=at,
    )


def test_several_events_of_the_same_activity_notify_once(register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    post_id = post(alice)
    deliver_events(*[reaction(alice, bob, post_id)] * 3)
    deliver_events(reaction(alice, bob, post_id, at=NOW + timedelta(seconds=5), reaction_type="love"))
    [item] = notifications_of(alice)
    assert item["actors_count"] == 1
    assert NotificationActor.objects.filter(topic=f"reaction:post:{post_id}").count() == 1


def test_a_batch_makes_what_its_events_make_one_by_one(register: Callable[..., Person]) -> None:
    """Of several people on several posts, some twice, older ones last; then one more, which renews a notification."""
    alice, bob, carol, dan = (register(name) for name in ("alice", "bob", "carol", "dan"))
    first, second = post(alice), post(alice)
    later, before = NOW + timedelta(seconds=5), NOW - timedelta(seconds=5)
    deliver_events(no_reaction(alice, dan, first, at=NOW))
    deliver_events(
        reaction(alice, bob, first, at=later, reaction_type="love"),
        reaction(alice, bob, first),
        reaction(alice, carol, first),
        reaction(alice, carol, second),
        reaction(alice, dan, first, at=before),
        reaction(alice, alice, first),
    )
    found = {item["target"]["id"]: item for item in notifications_of(alice)}
    assert {target: item["actors_count"] for target, item in found.items()} == {first: 2, second: 1}
    last_notified = NotificationActor.objects.get(topic=f"reaction:post:{first}", actor_id=int(bob.id)).at
    assert (last_notified, unread(alice)) == (later, 2)
    deliver_events(reaction(alice, dan, first, at=later), reaction(alice, bob, first, at=NOW))
    [renewed, other] = notifications_of(alice)
    assert (renewed["target"]["id"], renewed["actors_count"], other) == (first, 3, found[second])
    assert (Notification.objects.count(), NotificationGroup.objects.count()) == (2, 2)
    deliver_events(
        no_reaction(alice, bob, first, at=later),
        no_reaction(alice, bob, first),
        no_reaction(alice, carol, second),
        no_reaction(alice, dan, second),
        no_reaction(alice, dan, first),  # who reacted again later
    )
    deliver_events(reaction(alice, dan, second, at=before))
    [left] = notifications_of(alice)
    assert (left["target"]["id"], left["actors_count"]) == (first, 2)
    assert (Notification.objects.count(), NotificationGroup.objects.count()) == (1, 1)


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_reactions_end_as_the_newest_event_says_in_any_order(register: Callable[..., Person], order: Any) -> None:
    alice, bob = register("alice"), register("bob")
    post_id = post(alice)
    events = [
        reaction(alice, bob, post_id, at=NOW),
        no_reaction(alice, bob, post_id, at=NOW + timedelta(seconds=1)),
        reaction(alice, bob, post_id, at=NOW + timedelta(seconds=2)),
    ]
    for index in order:
        deliver_events(events[index])
    assert [item["actors_count"] for item in notifications_of(alice)] == [1]
    deliver_events(no_reaction(alice, bob, post_id, at=NOW + timedelta(seconds=3)), *events)
    assert notifications_of(alice) == []
    assert (Notification.objects.count(), NotificationGroup.objects.count()) == (0, 0)


def test_a_removal_that_comes_first_leaves_nothing_to_revive(register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    post_id = int(post(alice))
    a, b, later = int(alice.id), int(bob.id), NOW + timedelta(seconds=1)
    deliver_events(
        no_reaction(alice, bob, post_id, at=later),
        Unfollowed(follower_id=b, following_id=a, at=later),
        FollowRequestWithdrawn(requester_id=b, target_id=a, at=later),
        Unreposted(post_id=post_id, author_id=a, user_id=b, at=later),
        CommentDeleted(comment_id=77, post_id=post_id, author_id=b),
    )
    deliver_events(
        reaction(alice, bob, post_id),
        Followed(follower_id=b, following_id=a, accepted=False, at=NOW),
        FollowRequested(requester_id=b, target_id=a, at=NOW),
        Reposted(post_id=post_id, author_id=a, user_id=b, at=NOW),
        CommentCreated(
            comment_id=77,
            post_id=post_id,
            post_author_id=a,
            author_id=b,
            parent_comment_id=None,
            parent_author_id=None,
            mention_ids=[],
            created_at=NOW,
        ),
    )
    assert Notification.objects.count() == 0


def test_mentions_are_as_in_the_last_edit_in_whatever_order_the_edits_arrive(
    register: Callable[..., Person],
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    post_id = int(post(alice))
    a, b, c = int(alice.id), int(bob.id), int(carol.id)
    written = PostCreated(
        post_id=post_id, author_id=a, is_private=False, hashtags=[], mention_ids=[b, c], created_at=NOW, version=1
    )
    commented = CommentCreated(
        comment_id=77,
        post_id=post_id,
        post_author_id=a,
        author_id=a,
        parent_comment_id=None,
        parent_author_id=None,
        mention_ids=[b, c],
        created_at=NOW,
    )
    without_bob, with_bob, without_carol = (
        [
            PostEdited(
                post_id=post_id,
                author_id=a,
                is_private=False,
                was_private=False,
                hashtags=[],
                new_mention_ids=new,
                removed_mention_ids=removed,
                version=1 + minutes,
                at=NOW + timedelta(minutes=minutes),
            ),
            CommentEdited(
                comment_id=77,
                post_id=post_id,
                author_id=a,
                new_mention_ids=new,
                removed_mention_ids=removed,
                version=1 + minutes,
                at=NOW + timedelta(minutes=minutes),
            ),
        ]
        for minutes, new, removed in ((1, [], [b]), (2, [b], []), (3, [], [c]))
    )
    deliver_events(*without_carol, *with_bob, *without_bob, written, commented)
    deliver_events(*without_carol, *without_bob, *with_bob, written, commented)
    assert (sorted(item["target"]["type"] for item in notifications_of(bob)), unread(carol)) == (["post"], 0)
    assert Notification.objects.filter(kind="mention", user_id=b).count() == 2, "one of the post, one of the comment"
    assert Notification.objects.filter(user_id=c).count() == 0


def test_a_deleted_post_notifies_nobody_again(
    register: Callable[..., Person], drain: Callable[[], int], follow: Callable[[Person, Person], None]
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    follow(bob, alice)
    post_id = post(alice, "hi @carol")
    drain()
    comment(bob, post_id)
    drain()
    assert (unread(bob), unread(carol), kinds(alice)) == (1, 1, ["comment", "follow"])
    alice.client.delete(f"/v1/posts/{post_id}")
    drain()
    late = PostCreated(
        post_id=int(post_id),
        author_id=int(alice.id),
        is_private=False,
        hashtags=[],
        mention_ids=[int(carol.id)],
        created_at=NOW,
        version=1,
    )
    deliver_events(late, reaction(alice, bob, post_id))
    drain()
    assert (notifications_of(bob), notifications_of(carol), kinds(alice)) == ([], [], ["follow"])
    assert Notification.objects.filter(post_id=post_id).count() == 0
    deliver_events(PostDeleted(post_id=int(post_id), author_id=int(alice.id), was_private=False, version=3))
    drain()
    assert kinds(alice) == ["follow"]


@time_machine.travel(NOON)
def test_activity_of_different_days_is_kept_apart_and_removed_from_the_right_one(
    register: Callable[..., Person],
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    post_id = post(alice)
    midnight = NOON.replace(hour=0)
    deliver_events(reaction(alice, bob, post_id, at=midnight - timedelta(milliseconds=1)))
    deliver_events(reaction(alice, carol, post_id, at=midnight))
    assert [item["actors_count"] for item in notifications_of(alice)] == [1, 1]
    deliver_events(no_reaction(alice, bob, post_id, at=NOON))
    assert [item["actors"][0]["username"] for item in notifications_of(alice)] == ["carol"]


def test_activity_of_long_ago_notifies_nobody(
    register: Callable[..., Person], follow: Callable[[Person, Person], None]
) -> None:
    alice, bob = register("alice"), register("bob")
    follow(bob, alice)
    long_ago = NOW - timedelta(days=2)
    post_id = post(alice)
    old_post = PostCreated(
        post_id=int(post_id),
        author_id=int(alice.id),
        is_private=False,
        hashtags=[],
        mention_ids=[],
        created_at=long_ago,
        version=1,
    )
    deliver_events(old_post, reaction(alice, bob, post_id, at=long_ago))
    assert (notifications_of(bob), kinds(alice)) == ([], ["follow"])
