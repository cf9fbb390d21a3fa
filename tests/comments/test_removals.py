"""Tombstones and removals after deletions and moderation: late, twice, out of order, in chunks."""

import json
from collections.abc import Callable
from contextlib import suppress
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from apps.comments import access, actions, handlers, queries, tasks
from apps.comments.actions import erasure, removals
from apps.comments.models import Comment, CommentCount
from socialapp.contracts.auth import UserDeleted
from socialapp.contracts.moderation import ContentRemoved
from socialapp.contracts.posts import PostDeleted, PostRef
from socialapp.contracts.users import ProfileSummary
from socialapp.core.db import atomic
from socialapp.core.errors import NotFound
from socialapp.core.ids import id_time, new_id
from socialapp.lifecycle.jobs import continue_jobs
from socialapp.lifecycle.models import Job, Tombstone
from socialapp.lifecycle.removal import begin_removal, sweep
from socialapp.messaging.publish import publish
from tests.comments.factories import comment_on, published, published_types, write_post
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def publish_as(context: str, event: object) -> None:
    """Publishes an event as another context."""
    with atomic(context):
        publish(event)


def draft(*, post_id: int, author_id: int) -> access.Draft:
    """A draft that was gathered before its post or author was deleted."""
    post = PostRef(id=post_id, author_id=1, is_private=False, created_at=id_time(post_id))
    card = ProfileSummary(id=author_id, username="x", full_name="", profile_picture="")
    return access.Draft(post, card, None, {}, "late")


def test_a_deleted_comment_with_replies_stays_as_a_tombstone(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    alice, bob = register("alice"), register("bob")
    post = write_post(alice)
    root = comment_on(bob, post, "secret")
    reply = comment_on(alice, post, parent=root["id"])
    assert bob.client.delete(f"/v1/comments/{root['id']}").status_code == 204
    stone = anonymous.get(f"/v1/comments/{root['id']}").json()
    assert stone == root | {
        "author": None,
        "content": "",
        "replies_count": 1,
        "updated_at": stone["updated_at"],
    }
    assert anonymous.get(f"/v1/posts/{post}/comments").json()["results"] == [stone]
    assert anonymous.get(f"/v1/comments/{root['id']}/replies").json()["results"] == [reply]
    assert anonymous.get(f"/v1/posts/{post}").json()["comments_count"] == 1
    row = Comment.objects.get(id=root["id"])
    assert (row.user_id, row.content) == (None, "")
    for refused in (
        bob.client.patch(f"/v1/comments/{root['id']}", {"content": "back"}),
        bob.client.delete(f"/v1/comments/{root['id']}"),
        bob.client.put(f"/v1/comments/{root['id']}/reaction", {"reaction_type": "like"}),
    ):
        assert refused.status_code == 404
    assert len(published("comments.comment_deleted.v1")) == 1


def test_a_tombstone_is_deleted_with_its_last_reply(register: Callable[..., Person], anonymous: JsonClient) -> None:
    alice = register("alice")
    post = write_post(alice)
    chain = [comment_on(alice, post)["id"]]
    for _ in range(3):
        chain.append(comment_on(alice, post, parent=chain[-1])["id"])
    sibling = comment_on(alice, post, parent=chain[0])["id"]
    for comment in chain[:3]:
        assert alice.client.delete(f"/v1/comments/{comment}").status_code == 204
    assert Comment.objects.count() == 5
    assert alice.client.delete(f"/v1/comments/{chain[3]}").status_code == 204
    assert sorted(Comment.objects.values_list("id", flat=True)) == sorted([int(chain[0]), int(sibling)])
    assert anonymous.get(f"/v1/comments/{chain[0]}").json()["replies_count"] == 1
    assert alice.client.delete(f"/v1/comments/{sibling}").status_code == 204
    assert Comment.objects.count() == 0
    assert anonymous.get(f"/v1/posts/{post}").json()["comments_count"] == 0
    deleted = [event["comment_id"] for event in published("comments.comment_deleted.v1")]
    assert deleted == [int(comment) for comment in [*chain, sibling]], "a tombstone's second end is no event"


def test_a_removed_comment_is_hidden_once(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    alice = register("alice")
    post = write_post(alice)
    comment, other = comment_on(alice, post)["id"], comment_on(alice, post)["id"]
    for target_type, target_id in (("comment", comment), ("comment", comment), ("post", other), ("comment", 77)):
        publish_as(
            "moderation",
            ContentRemoved(
                target_type=target_type, target_id=int(target_id), author_id=int(alice.id), action_id=1, reason="spam"
            ),
        )
    drain()
    assert alice.client.get(f"/v1/comments/{comment}").status_code == 404
    assert [row["id"] for row in alice.client.get(f"/v1/posts/{post}/comments").json()["results"]] == [other]
    assert Comment.objects.get(id=comment).content == "", "a place is kept, as it may come back"
    assert [event["comment_id"] for event in published("comments.comment_withdrawn.v1")] == [int(comment)]
    assert published("comments.comment_deleted.v1") == []
    assert alice.client.get(f"/v1/posts/{post}").json()["comments_count"] == 1
    assert alice.client.get(f"/v1/comments/{other}").status_code == 200


def test_a_hidden_comment_that_is_shown_while_its_author_deletes_it_is_deleted(
    register: Callable[..., Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = register("alice")
    comment_id = int(comment_on(alice, write_post(alice))["id"])
    actions.hide_comment(comment_id=comment_id, is_hidden=True, at=timezone.now())
    delete = removals.delete_removed_comments

    def show_first(comment_ids: Any) -> Any:
        actions.hide_comment(comment_id=comment_id, is_hidden=False, at=timezone.now())
        return delete(comment_ids)

    monkeypatch.setattr(removals, "delete_removed_comments", show_first)
    assert alice.client.delete(f"/v1/comments/{comment_id}").status_code == 204
    assert not Comment.objects.exists()


def test_a_deadlock_over_a_hidden_comment_is_no_answer(
    register: Callable[..., Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = register("alice")
    comment_id = int(comment_on(alice, write_post(alice))["id"])
    actions.hide_comment(comment_id=comment_id, is_hidden=True, at=timezone.now())
    deadlocks = [OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")]
    delete = removals.delete_removed_comments

    def lose_once(comment_ids: Any) -> Any:
        for deadlock in deadlocks[:]:
            deadlocks.clear()
            raise deadlock
        return delete(comment_ids)

    monkeypatch.setattr(removals, "delete_removed_comments", lose_once)
    assert alice.client.delete(f"/v1/comments/{comment_id}").status_code == 204
    assert not Comment.objects.exists()


def test_comments_are_deleted_with_their_post(
    register: Callable[..., Person], drain: Callable[[], int], anonymous: JsonClient
) -> None:
    alice, bob = register("alice"), register("bob")
    post, kept = write_post(alice), write_post(alice)
    root = comment_on(alice, post)["id"]
    reply = comment_on(bob, post, parent=root)["id"]
    assert alice.client.delete(f"/v1/comments/{root}").status_code == 204
    stays = comment_on(bob, kept)["id"]
    assert alice.client.delete(f"/v1/posts/{post}").status_code == 204
    assert anonymous.get(f"/v1/comments/{reply}").status_code == 404, "at once, before any event is delivered"
    drain()
    assert list(Comment.objects.values_list("id", flat=True)) == [int(stays)]
    assert set(CommentCount.objects.values_list("post_id", flat=True)) == {int(kept)}
    deleted = [event["comment_id"] for event in published("comments.comment_deleted.v1")]
    assert deleted == [int(root), int(reply)]
    handlers.remove_comments_on_post(
        PostDeleted(post_id=int(post), author_id=int(alice.id), was_private=False, version=1)
    )
    assert len(published("comments.comment_deleted.v1")) == 2


def test_a_deleted_post_or_person_gets_no_late_comment() -> None:
    post_id, user_id = new_id(), new_id()
    begin_removal("comments", kind="post", subject_id=post_id)
    begin_removal("comments", kind="user", subject_id=user_id, erasure_id=5)
    before = published_types("comments")
    for late in (draft(post_id=post_id, author_id=new_id()), draft(post_id=new_id(), author_id=user_id)):
        with pytest.raises(NotFound):
            actions.create_comment(draft=late)
    assert Comment.objects.count() == CommentCount.objects.count() == 0
    assert published_types("comments") == before == ["comments.user_erased.v1"]


def test_comments_of_a_large_post_are_deleted_in_chunks() -> None:
    post_id, author_id = new_id(), new_id()
    for _ in range(erasure.BATCH + 5):
        actions.create_comment(draft=draft(post_id=post_id, author_id=author_id))
    begin_removal("comments", kind="post", subject_id=post_id)
    assert Comment.objects.count() == 5
    assert Job.objects.using("comments").count() == 1
    continue_jobs("comments", steps=50)
    assert Comment.objects.count() == CommentCount.objects.count() == 0
    assert not Job.objects.using("comments").exists()
    deleted = [event["comment_id"] for event in published("comments.comment_deleted.v1")]
    assert len(deleted) == len(set(deleted)) == erasure.BATCH + 5
    continue_jobs("comments", steps=50)
    assert len(published("comments.comment_deleted.v1")) == erasure.BATCH + 5


def test_rows_that_a_deletion_missed_are_swept_within_minutes() -> None:
    """As TiDB may leave it: committed by a writer who saw no mark, unseen by the removal that set the mark."""
    post_id, user_id, other = new_id(), new_id(), new_id()
    actions.create_comment(draft=draft(post_id=post_id, author_id=new_id()))
    actions.create_comment(draft=draft(post_id=other, author_id=user_id))
    kept = actions.create_comment(draft=draft(post_id=other, author_id=new_id()))
    for kind, subject_id in (("post", post_id), ("user", user_id)):
        Tombstone.objects.using("comments").create(subject_id=subject_id, kind=kind)
    assert sweep("comments") == 2
    assert list(Comment.objects.all()) == [kept]
    assert [(row.post_id, row.count) for row in queries.counts(post_ids=[post_id, other])] == [(other, 1)]
    assert len(published("comments.comment_deleted.v1")) == 2
    assert sweep("comments") == 0, "what is clean is left alone"
    assert len(published_types("comments")) == 3 + 2


def test_erasure_removes_all_comments_of_a_user(
    register: Callable[..., Person], drain: Callable[[], int], anonymous: JsonClient
) -> None:
    alice, bob = register("alice"), register("bob")
    post = write_post(alice)
    lonely, answered = comment_on(bob, post, "lonely")["id"], comment_on(bob, post, "answered")["id"]
    reply = comment_on(alice, post, parent=answered)["id"]
    own = comment_on(bob, post, parent=reply)["id"]
    event = UserDeleted(user_id=int(bob.id), erasure_id=99)
    handlers.erase_user(event)
    assert not Comment.objects.filter(user_id=bob.id).exists()
    rows = {row.id: row for row in Comment.objects.all()}
    assert rows.keys() == {int(answered), int(reply)}
    assert (rows[int(answered)].content, rows[int(answered)].user_id) == ("", None)
    assert rows[int(reply)].replies_count == 0
    assert sorted(event["comment_id"] for event in published("comments.comment_deleted.v1")) == sorted(
        [int(lonely), int(answered), int(own)]
    )
    assert published("comments.user_erased.v1") == [{"user_id": int(bob.id), "erasure_id": 99, "rows": {"comments": 3}}]
    assert published_types("comments")[-1] == "comments.user_erased.v1", "acknowledged when nothing is left"
    assert anonymous.get(f"/v1/posts/{post}").json()["comments_count"] == 1
    handlers.erase_user(event)
    assert Comment.objects.count() == 2
    assert len(published("comments.comment_deleted.v1")) == 3


def test_a_prolific_person_is_acknowledged_when_nothing_is_left() -> None:
    author_id, posts = new_id(), [new_id(), new_id()]
    for number in range(erasure.BATCH * 2):
        actions.create_comment(draft=draft(post_id=posts[number % 2], author_id=author_id))
    begin_removal("comments", kind="user", subject_id=author_id, erasure_id=7)
    assert published("comments.user_erased.v1") == []
    continue_jobs("comments", steps=50)
    assert Comment.objects.count() == 0
    assert published("comments.user_erased.v1") == [{"user_id": author_id, "erasure_id": 7, "rows": {"comments": 200}}]
    assert queries.counts(post_ids=posts) == []


def verify(**options: Any) -> dict[str, Any]:
    """What `verify --context comments --json` says."""
    out = StringIO()
    with suppress(SystemExit):
        call_command("verify", context=["comments"], as_json=True, stdout=out, **options)
    return dict(json.loads(out.getvalue())["contexts"][0])


def test_drift_in_counts_is_found_and_repaired(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    alice = register("alice")
    post = write_post(alice)
    root = comment_on(alice, post)["id"]
    comment_on(alice, post, parent=root)
    assert verify() == {"context": "comments", "compared": 1, "in_flight": 0, "drifts": []}
    CommentCount.objects.filter(post_id=post).update(count=40)
    Comment.objects.filter(id=root).update(replies_count=0)
    counted = sum(CommentCount.objects.filter(post_id=post).values_list("count", flat=True))
    expected = [
        {"projection": "comments_count", "id": int(post), "held": str(counted), "actual": "2"},
        {"projection": "replies_count", "id": int(root), "held": "0", "actual": "1"},
    ]
    assert verify()["drifts"] == expected
    assert verify(repair=True)["drifts"] == expected
    assert verify()["drifts"] == []
    assert [row.count for row in queries.counts(post_ids=[int(post)])] == [2]
    Comment.objects.filter(id=root).update(replies_count=9)
    tasks.check_counts()
    assert Comment.objects.get(id=root).replies_count == 1
