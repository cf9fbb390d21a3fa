"""Bulk records of comments: what was dumped loads into an empty installation and dumps the same."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.comments import queries
from apps.comments.models import Comment, CommentCount, CommentMention
from apps.comments.service import CommentsBulkTransfer
from socialapp.messaging.models import OutboxEvent
from tests.comments.factories import comment_on, published, published_types, write_post
from tests.conftest import ALL_CONTEXTS, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

records = CommentsBulkTransfer()


def dump() -> list[dict[str, Any]]:
    """All records, fetched two at a time."""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        batch = records.dump(kind="comment", after=after, limit=2)
        found += batch.records
        after = batch.next
    return found


def load(*lines: dict[str, Any]) -> list[tuple[int, str]]:
    """What was rejected, and why."""
    return [(refused.index, refused.reason) for refused in records.load(kind="comment", records=list(lines))]


def test_a_dump_loads_and_dumps_the_same(register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    post = write_post(alice)
    root = comment_on(bob, post, "hello @alice")
    grave = comment_on(bob, post, parent=root["id"])
    leaf = comment_on(alice, post, parent=grave["id"])
    assert bob.client.delete(f"/v1/comments/{grave['id']}").status_code == 204
    assert alice.client.patch(f"/v1/comments/{leaf['id']}", {"content": "edited"}).status_code == 200
    before = dump()
    bodies = [alice.client.get(f"/v1/comments/{row['id']}").json() for row in before]
    for model in (Comment, CommentCount, CommentMention):
        model._default_manager.all().delete()
    OutboxEvent.objects.using("comments").all().delete()
    assert load(*before) == []
    assert dump() == before
    assert [alice.client.get(f"/v1/comments/{row['id']}").json() for row in before] == bodies
    assert [row.count for row in queries.counts(post_ids=[int(post)])] == [2]
    assert queries.mentioned_in([int(root["id"])]) == {int(root["id"]): {"alice": int(alice.id)}}
    assert queries.suspect_posts(post_ids=[int(post)]) == queries.suspect_threads(post_ids=[int(post)]) == []
    created = published("comments.comment_created.v1")
    assert [(event["comment_id"], event["mention_ids"]) for event in created] == [
        (int(root["id"]), [int(alice.id)]),
        (int(leaf["id"]), []),
    ]
    assert load(*before) == [], "what is there already is passed over"
    assert len(published_types("comments")) == 2


def test_bad_records_are_rejected_and_the_good_taken(register: Callable[..., Person]) -> None:
    alice = register("alice")
    post, elsewhere = write_post(alice), write_post(alice)
    other = comment_on(alice, elsewhere)["id"]
    good = {"id": "7", "post_id": post, "user_id": alice.id, "content": "x", "created_at": "2026-01-01T00:00:00Z"}
    lines = [
        good,
        good | {"id": "x"},
        good | {"id": "8", "content": " "},
        good | {"id": "9", "content": "a\u0000"},
        good | {"id": "10", "post_id": "1"},
        good | {"id": "11", "user_id": "1"},
        good | {"id": "12", "parent_comment_id": other},
        good | {"id": "13", "created_at": "2026-01-01T00:00:00"},
        good | {"id": "14", "mood": "sad"},
        good | {"id": "15", "user_id": None},
        good | {"id": "16", "parent_comment_id": "7"},
        {"id": "17"},
    ]
    assert sorted(index for index, _ in load(*lines)) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 11]
    assert set(Comment.objects.filter(post_id=post).values_list("id", flat=True)) == {7, 16}
    assert Comment.objects.get(id=7).replies_count == 1
