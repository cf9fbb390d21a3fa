"""Whom the names in a comment mean: whom they meant when it was written, although names change hands."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.auth.actions import rename_account
from apps.comments import actions
from apps.comments.models import Comment, CommentMention, RemovedComment
from socialapp.contracts.auth import UserDeleted
from socialapp.core.db import atomic
from socialapp.lifecycle.erasure_audit import audit_erasure
from socialapp.lifecycle.removal import sweep
from socialapp.messaging.publish import publish
from tests.comments.factories import comment_on, published, write_post
from tests.conftest import ALL_CONTEXTS, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

Register = Callable[..., Person]
Drain = Callable[[], int]


@pytest.fixture(autouse=True)
def _free_names(settings: Any) -> None:
    """A name that somebody gives up is free at once."""
    settings.NAME_KEPT_DAYS = 0


def rename(person: Person, username: str, drain: Drain) -> None:
    """Gives an account another name, everywhere."""
    rename_account(user_id=int(person.id), username=username)
    drain()


def edit(author: Person, comment: dict[str, Any], content: str) -> tuple[list[int], list[int]]:
    """Edits a comment; returns the people newly mentioned, and those no longer mentioned."""
    assert author.client.patch(f"/v1/comments/{comment['id']}", {"content": content}).status_code == 200
    event = published("comments.comment_edited.v1")[-1]
    return sorted(event["new_mention_ids"]), event["removed_mention_ids"]


def notified(person: Person) -> list[str]:
    """The kinds of somebody's notifications."""
    return [item["kind"] for item in person.client.get("/v1/notifications").json()["results"]]


def mentioned() -> set[tuple[str, int]]:
    """Every recorded name with its person."""
    return set(CommentMention.objects.values_list("username", "user_id"))


def test_an_edit_keeps_the_people_whom_unchanged_names_meant(register: Register, drain: Drain) -> None:
    alice, bob, carol, dave = (register(name) for name in ("alice", "bob", "carol", "dave"))
    comment = comment_on(alice, write_post(alice), "hi @Bob")
    drain()
    rename(bob, "robert", drain)
    rename(carol, "bob", drain)
    assert edit(alice, comment, "hello @bob and @dave") == ([int(dave.id)], [])
    drain()
    assert (notified(bob), notified(carol), notified(dave)) == (["mention"], [], ["mention"])
    assert mentioned() == {("bob", int(bob.id)), ("dave", int(dave.id))}
    assert edit(alice, comment, "hello @dave") == ([], [int(bob.id)])
    drain()
    assert (notified(bob), notified(carol), notified(dave)) == ([], [], ["mention"])
    assert edit(alice, comment, "@bob") == ([int(carol.id)], [int(dave.id)])
    drain()
    assert (notified(bob), notified(carol), notified(dave)) == ([], ["mention"], [])
    assert mentioned() == {("bob", int(carol.id))}


def test_a_person_with_two_names_is_mentioned_once(register: Register, drain: Drain) -> None:
    alice, bob = register("alice"), register("bob")
    comment = comment_on(alice, write_post(alice), "hi @bob")
    rename(bob, "robert", drain)
    assert edit(alice, comment, "hi @bob, now @robert") == ([], [])
    assert edit(alice, comment, "hi @robert") == ([], [])
    assert edit(alice, comment, "hi") == ([], [int(bob.id)])


def test_comments_of_earlier_releases_are_edited_as_before(register: Register, drain: Drain) -> None:
    """Nothing says whom their names meant: those that stay notify nobody, those dropped are looked up."""
    alice, bob, carol, dave = (register(name) for name in ("alice", "bob", "carol", "dave"))
    comment = comment_on(alice, write_post(alice), "hi @bob and @carol")
    CommentMention.objects.all().delete()
    assert edit(alice, comment, "hi @bob and @dave") == ([int(dave.id)], [int(carol.id)])
    assert mentioned() == {("dave", int(dave.id))}
    rename(dave, "davina", drain)
    assert edit(alice, comment, "hi") == ([], sorted([int(bob.id), int(dave.id)]))


def test_mentions_are_deleted_with_their_comment(register: Register, drain: Drain) -> None:
    """Whether it leaves a tombstone or not; one that a moderator removed keeps them until it is deleted for good."""
    alice, bob = register("alice"), register("bob")
    post = write_post(alice)
    root = comment_on(alice, post, "@bob")
    leaf = comment_on(alice, post, "@bob", parent=root["id"])
    held = comment_on(alice, post, "@bob")
    on_other_post = comment_on(alice, write_post(bob), "@bob")
    for comment in (root, leaf):
        assert alice.client.delete(f"/v1/comments/{comment['id']}").status_code == 204
    assert CommentMention.objects.count() == 2
    actions.remove_comment(comment_id=int(held["id"]), action_id=5)
    actions.restore_comment(comment_id=int(held["id"]), action_id=5)
    assert edit(alice, held, "nobody") == ([], [int(bob.id)])
    edit(alice, held, "@bob")
    actions.remove_comment(comment_id=int(held["id"]), action_id=6)
    RemovedComment.objects.update(removed_at="2020-01-01T00:00:00Z")
    actions.delete_long_removed()
    assert list(CommentMention.objects.values_list("comment_id", flat=True)) == [int(on_other_post["id"])]
    assert bob.client.delete(f"/v1/posts/{on_other_post['post_id']}").status_code == 204
    drain()
    assert not CommentMention.objects.exists()


def test_mentions_are_erased_with_the_person(register: Register, drain: Drain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.comments.actions.erasure.BATCH", 1)
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    post = write_post(alice)
    for _ in range(3):
        comment_on(alice, post, "@bob and @carol")
    with atomic("auth"):
        publish(UserDeleted(user_id=int(bob.id), erasure_id=1))
    drain()
    left = [one for one in audit_erasure(int(bob.id)) if not one.expected and one.store not in ("auth", "redis")]
    assert left == []
    assert mentioned() == {("carol", int(carol.id))}
    late = Comment.objects.earliest("id").id
    CommentMention.objects.create(comment_id=late, username="bob", user_id=int(bob.id))
    assert sweep("comments") == 1
    assert mentioned() == {("carol", int(carol.id))}
