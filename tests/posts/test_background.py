"""Background work: counting views, erasing users, cleaning up."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from apps.posts.access import draft_post
from apps.posts.actions import create_post, erasure, views
from apps.posts.models import (
    Bookmark,
    Post,
    PostEdit,
    PostHashtag,
    PostMention,
    Repost,
    RepostCount,
)
from apps.posts.tasks import flush_views
from socialapp.contracts.auth import UserDeleted
from socialapp.core.cache import redis_client
from socialapp.core.db import atomic
from socialapp.core.errors import Forbidden
from socialapp.lifecycle.models import Tombstone
from socialapp.lifecycle.removal import sweep
from socialapp.messaging.models import InboxEntry, OutboxEvent
from socialapp.messaging.publish import publish
from tests.conftest import ALL_CONTEXTS, JsonClient, Person, deliver_outbox
from tests.posts.conftest import events

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def delete_user(person: Person) -> None:
    """Tells everybody that the user is gone."""
    with atomic("auth"):
        publish(UserDeleted(user_id=int(person.id), erasure_id=9))
    deliver_outbox()


def test_views_by_others_are_counted_and_published_once(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    anonymous: JsonClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice, bob = register("alice"), register("bob")
    one, two = write(alice, "one"), write(alice, "two")
    for reader, post in ((bob.client, one), (anonymous, one), (alice.client, one), (bob.client, two)):
        assert reader.get(f"/v1/posts/{post['id']}").status_code == 200
    monkeypatch.setattr(views, "_COUNTS_A_BATCH", 1)
    flush_views()
    flush_views()
    batches = events("posts_viewed")
    assert len({batch["batch_id"] for batch in batches}) == 2
    counted = {(count["post_id"], count["author_id"]): count["views"] for batch in batches for count in batch["counts"]}
    assert counted == {(int(one["id"]), int(alice.id)): 2, (int(two["id"]), int(alice.id)): 1}


def test_views_claimed_by_a_crashed_run_are_published_by_the_next(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]]
) -> None:
    alice, bob, cleo = register("alice"), register("bob"), register("cleo")
    post = write(alice)
    bob.client.get(f"/v1/posts/{post['id']}")
    redis_client().rename(f"{settings.REDIS_PREFIX}posts:views", f"{settings.REDIS_PREFIX}posts:views-flushing")
    cleo.client.get(f"/v1/posts/{post['id']}")
    flush_views()
    flush_views()
    assert [batch["counts"][0]["views"] for batch in events("posts_viewed")] == [1, 1]


@pytest.mark.parametrize("step", [2, 200])
def test_erasure_removes_everything_and_is_acknowledged_at_the_end(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    monkeypatch: pytest.MonkeyPatch,
    step: int,
) -> None:
    monkeypatch.setattr(erasure, "BATCH", step)
    alice, bob = register("alice"), register("bob")
    follow(alice, bob)
    mine = [write(alice, f"#tag {number} @bob")["id"] for number in range(5)]
    alice.client.patch(f"/v1/posts/{mine[0]}", {"content": "edited"})
    others = [write(bob, f"for @alice {number}")["id"] for number in range(5)]
    for post_id in others:
        alice.client.put(f"/v1/posts/{post_id}/bookmark")
        alice.client.put(f"/v1/posts/{post_id}/repost")
    for post_id in mine:
        bob.client.put(f"/v1/posts/{post_id}/bookmark")
        bob.client.put(f"/v1/posts/{post_id}/repost")
    deliver_outbox()
    alice.client.get("/v1/feed")
    delete_user(alice)
    assert list(Post.objects.order_by("id").values_list("id", flat=True)) == [int(post_id) for post_id in others]
    for model in (PostEdit, PostHashtag, PostMention, Bookmark, Repost):
        assert not model.objects.exists(), model
    assert set(RepostCount.objects.values_list("count", flat=True)) == {0}
    assert bob.client.get(f"/v1/posts/{others[0]}").json()["mentions"] == []
    assert not redis_client().exists(f"{settings.REDIS_PREFIX}feed:{alice.id}")
    assert sorted(event["post_id"] for event in events("post_deleted")) == sorted(map(int, mine))
    assert sorted(event["post_id"] for event in events("unreposted")) == sorted(map(int, others))
    (report,) = events("user_erased")
    assert (report["user_id"], report["erasure_id"], report["rows"]["posts"]) == (int(alice.id), 9, len(mine))


def test_duplicate_erasure_and_late_events_recreate_nothing(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], follow: Callable[[Person, Person], None]
) -> None:
    alice, bob = register("alice"), register("bob")
    follow(bob, alice)
    write(alice)
    delete_user(alice)
    InboxEntry.objects.using("posts").all().delete()
    for alias in ("posts", "auth"):
        OutboxEvent.objects.using(alias).update(state=OutboxEvent.State.NEW)
    deliver_outbox()
    assert not Post.objects.exists()
    assert {event["erasure_id"] for event in events("user_erased")} == {9}
    assert list(Tombstone.objects.using("posts").values_list("subject_id", flat=True)) == [int(alice.id)]
    assert bob.client.get("/v1/feed").json()["results"] == []


def test_a_request_in_progress_writes_nothing_after_the_erasure(register: Callable[..., Person]) -> None:
    alice = register("alice")
    draft = draft_post(author_id=int(alice.id), content="late", is_private=None)
    delete_user(alice)
    with pytest.raises(Forbidden):
        create_post(draft=draft)
    assert not Post.objects.exists()
    assert not events("post_created")
    # One whose transaction began before the erasure and ended after it.
    Tombstone.objects.using("posts").all().delete()
    create_post(draft=draft)
    Tombstone.objects.using("posts").create(subject_id=int(alice.id), kind="user")
    assert sweep("posts") == 1
    assert not Post.objects.exists()
