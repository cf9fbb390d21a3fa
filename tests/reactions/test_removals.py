"""Removals after the deletion of posts, comments and people: late, twice, out of order, in chunks."""

from collections.abc import Callable

import pytest

from apps.reactions import actions, handlers, queries
from apps.reactions.access import Target
from apps.reactions.actions import erasure
from apps.reactions.models import Reaction, ReactionCount
from socialapp.contracts.auth import UserDeleted
from socialapp.contracts.comments import CommentDeleted
from socialapp.contracts.posts import PostDeleted
from socialapp.core.errors import NotFound
from socialapp.core.ids import new_id
from socialapp.lifecycle.jobs import continue_jobs
from socialapp.lifecycle.models import Job, Tombstone
from socialapp.lifecycle.removal import begin_removal, sweep
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.reactions.factories import NONE, id_of, published, react, write_comment, write_post

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_reactions_are_deleted_with_their_post_and_its_comments(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob = register("alice"), register("bob")
    post, kept = write_post(alice), write_post(alice)
    comment, kept_comment = write_comment(alice, post), write_comment(alice, kept)
    for target in (post, kept, comment, kept_comment):
        react(bob, target)
    before = published()
    assert alice.client.delete(post).status_code == 204
    drain()
    assert {row.target_id for row in Reaction.objects.all()} == {id_of(kept), id_of(kept_comment)}
    assert set(ReactionCount.objects.values_list("target_id", flat=True)) == {id_of(kept), id_of(kept_comment)}
    assert published() == before, "the deletion of the target says it all"


def test_a_tombstone_has_no_reactions(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    alice, bob = register("alice"), register("bob")
    post = write_post(alice)
    comment = write_comment(alice, post)
    reply = alice.client.post(f"{post}/comments", {"content": "x", "parent_comment_id": str(id_of(comment))})
    assert reply.status_code == 201
    react(bob, comment)
    assert alice.client.delete(comment).status_code == 204
    drain()
    stone = bob.client.get(comment).json()
    assert (stone["author"], stone["reactions"], stone["my_reaction"]) == (None, NONE, None)
    assert bob.client.get(f"{comment}/reactions").status_code == 404
    assert Reaction.objects.count() == ReactionCount.objects.count() == 0


def test_a_tombstone_keeps_late_reactions_out() -> None:
    post_id, comment_id, user_id = new_id(), new_id(), new_id()
    for _ in range(2):
        handlers.remove_reactions_to_post(PostDeleted(post_id=post_id, author_id=1, was_private=False, version=1))
        handlers.remove_reactions_to_comment(CommentDeleted(comment_id=comment_id, post_id=post_id, author_id=1))
        handlers.erase_user(UserDeleted(user_id=user_id, erasure_id=3))
    before = published()
    late = [
        (new_id(), Target("post", post_id, 1, post_id)),
        (new_id(), Target("comment", comment_id, 1, post_id)),
        (user_id, Target("post", new_id(), 1, 1)),
    ]
    for person, target in late:
        with pytest.raises(NotFound):
            actions.set_reaction(user_id=person, target=target, reaction_type="like")
        actions.remove_reaction(user_id=person, target_type=target.type, target_id=target.id)
    assert Reaction.objects.count() == ReactionCount.objects.count() == 0
    assert published() == before


def test_erasing_a_person_corrects_the_counts(
    register: Callable[..., Person], drain: Callable[[], int], anonymous: JsonClient
) -> None:
    alice, bob = register("alice"), register("bob")
    post = write_post(alice)
    comment = write_comment(alice, post)
    for target, kind in ((post, "like"), (comment, "love")):
        react(bob, target, kind)
        react(alice, target, kind)
    handlers.erase_user(UserDeleted(user_id=int(bob.id), erasure_id=42))
    assert not Reaction.objects.filter(user_id=bob.id).exists()
    assert anonymous.get(post).json()["reactions"] == NONE | {"like": 1}
    assert anonymous.get(comment).json()["reactions"] == NONE | {"love": 1}
    removed = [
        {
            "target_type": kind,
            "target_id": id_of(target),
            "target_author_id": int(alice.id),
            "post_id": id_of(post),
            "user_id": int(bob.id),
            "reaction_type": reaction_type,
            "type": "reactions.reaction_removed.v1",
        }
        for kind, target, reaction_type in (("post", post, "like"), ("comment", comment, "love"))
    ]
    acknowledged = {
        "user_id": int(bob.id),
        "erasure_id": 42,
        "rows": {"reactions": 2},
        "type": "reactions.user_erased.v1",
    }
    *events, last = published()[4:]
    assert sorted(events, key=lambda event: event["target_id"]) == removed
    assert last == acknowledged


def test_rows_that_a_deletion_missed_are_swept_within_minutes() -> None:
    """As TiDB may leave it: committed by a writer who saw no mark, unseen by the removal that set the mark."""
    post, comment, other = Target("post", new_id(), 1, 1), Target("comment", new_id(), 1, 1), Target("post", 5, 1, 5)
    user_id, staying = new_id(), new_id()
    for target in (post, comment, other):
        actions.set_reaction(user_id=staying, target=target, reaction_type="like")
    actions.set_reaction(user_id=user_id, target=other, reaction_type="like")
    for kind, subject_id in (("post", post.id), ("comment", comment.id), ("user", user_id)):
        Tombstone.objects.using("reactions").create(subject_id=subject_id, kind=kind)
    sweep("reactions")
    assert [(row.target_id, row.user_id) for row in Reaction.objects.all()] == [(other.id, staying)]
    assert set(ReactionCount.objects.exclude(count=0).values_list("target_id", "count")) == {(other.id, 1)}
    assert [event["user_id"] for event in published("reactions.reaction_removed.v1")] == [user_id]


def test_large_removals_go_in_chunks_and_are_acknowledged_at_the_end() -> None:
    user_id, target = new_id(), Target("post", new_id(), 1, 1)
    rows = [
        Reaction(user_id=user_id, post_id=new_id(), reaction_type="like", target_author_id=1, under_post_id=1)
        for _ in range(erasure.BATCH * 2)
    ] + [
        Reaction(user_id=new_id(), post_id=target.id, reaction_type="sad", target_author_id=1, under_post_id=target.id)
        for _ in range(erasure.BATCH + 1)
    ]
    Reaction.objects.bulk_create(rows)
    assert len(queries.suspect_counts(target_type="post", target_ids=[target.id])) == 1
    begin_removal("reactions", kind="user", subject_id=user_id, erasure_id=8)
    begin_removal("reactions", kind="post", subject_id=target.id)
    assert Reaction.objects.count() == erasure.BATCH + 1
    assert published("reactions.user_erased.v1") == []
    assert Job.objects.using("reactions").count() == 2
    continue_jobs("reactions", steps=50)
    assert Reaction.objects.count() == 0
    assert not Job.objects.using("reactions").exists()
    assert len(published("reactions.reaction_removed.v1")) == erasure.BATCH * 2
    assert [event["erasure_id"] for event in published("reactions.user_erased.v1")] == [8]
    assert published()[-1]["type"] == "reactions.user_erased.v1"
