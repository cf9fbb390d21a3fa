"""Bulk records of reactions: what was dumped loads into an empty installation and dumps the same."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.reactions.models import Reaction, ReactionCount
from apps.reactions.service import ReactionsBulkTransfer
from socialapp.messaging.models import OutboxEvent
from tests.conftest import ALL_CONTEXTS, Person
from tests.reactions.factories import NONE, id_of, published, react, write_comment, write_post

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

records = ReactionsBulkTransfer()


def dump() -> list[dict[str, Any]]:
    """All records, fetched two at a time."""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        batch = records.dump(kind="reaction", after=after, limit=2)
        found += batch.records
        after = batch.next
    return found


def test_a_dump_loads_and_dumps_the_same(register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    post = write_post(alice)
    comment = write_comment(alice, post)
    for person in (alice, bob):
        react(person, post, "love")
    react(bob, comment, "sad")
    before, events = dump(), published()
    Reaction.objects.all().delete()
    ReactionCount.objects.all().delete()
    OutboxEvent.objects.using("reactions").all().delete()
    assert records.load(kind="reaction", records=before) == []
    assert dump() == before
    assert published() == events
    assert alice.client.get(post).json()["reactions"] == NONE | {"love": 2}
    assert alice.client.get(comment).json()["reactions"] == NONE | {"sad": 1}
    assert records.load(kind="reaction", records=before) == [], "what is there already is passed over"
    assert published() == events


def test_bad_records_are_rejected_and_the_good_taken(register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    post = write_post(alice)
    react(alice, post)
    good = {
        "id": "7",
        "user_id": bob.id,
        "post_id": str(id_of(post)),
        "reaction_type": "haha",
        "created_at": "2026-01-01T00:00:00Z",
    }
    lines: list[dict[str, Any]] = [
        good | {"id": "6", "user_id": alice.id},
        good,
        good | {"id": "8"},
        good | {"id": "9", "reaction_type": "wow"},
        good | {"id": "10", "comment_id": "5"},
        good | {"id": "11", "post_id": None},
        good | {"id": "12", "post_id": None, "comment_id": "5"},
        good | {"id": "13", "user_id": "5"},
        good | {"id": 14},
        good | {"id": "15", "created_at": "yesterday"},
    ]
    rejected = records.load(kind="reaction", records=lines)
    assert sorted(refused.index for refused in rejected) == [0, 2, 3, 4, 5, 6, 7, 8, 9]
    assert sorted(Reaction.objects.values_list("user_id", flat=True)) == sorted([int(alice.id), int(bob.id)])
    assert alice.client.get(post).json()["reactions"] == NONE | {"like": 1, "haha": 1}
