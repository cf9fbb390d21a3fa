"""Shuffled and duplicate events, with deletions among them, produce the same state; clashing ids do no harm."""

import contextlib
import io
import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from apps.notifications.models import Notification
from apps.posts.actions import delete_post
from apps.posts.models import Post
from apps.search.actions import rebuild_index
from apps.users.models import PostCount
from socialapp.core import ids
from socialapp.core.contexts import CONTEXTS
from socialapp.core.ids import IdGenerator
from socialapp.messaging.delivery import deliver
from socialapp.messaging.envelope import decode
from socialapp.messaging.models import FailedDelivery, OutboxEvent
from socialapp.ops.bulk import import_records
from tests.conftest import ALL_CONTEXTS, Person
from tests.faults.sizes import size

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

EVENTS = size(1_000, 10_000)


@pytest.fixture(autouse=True)
def _empty_index(db: None) -> None:
    """Empties the index in Elasticsearch, which no transaction rolls back."""
    if settings.ELASTICSEARCH_URL:
        rebuild_index()


def _deliver_in_disorder(luck: random.Random) -> int:
    """Delivers the unsent events of all contexts, shuffled, each two or three times. Returns the number of events."""
    rows = [
        (producer, row)
        for producer in CONTEXTS
        for row in OutboxEvent.objects.using(producer).filter(state=OutboxEvent.State.NEW)
    ]
    for producer in CONTEXTS:
        OutboxEvent.objects.using(producer).filter(state=OutboxEvent.State.NEW).update(
            state=OutboxEvent.State.CONFIRMED
        )
    for consumer in CONTEXTS:
        envelopes = [decode(row.envelope) for _, row in rows] * 2 + [decode(row.envelope) for _, row in rows[::3]]
        luck.shuffle(envelopes)
        for start in range(0, len(envelopes), 50):
            deliver(consumer, envelopes=envelopes[start : start + 50])
    return len(rows)


def test_shuffled_and_duplicate_events_produce_the_same_state(register: Callable[..., Person]) -> None:
    luck = random.Random(7)
    people = [register(f"person{number}") for number in range(8)]
    for person in people:
        for other in people:
            if person is not other and luck.random() < 0.6:
                assert person.client.put(f"/v1/profiles/{other.id}/follow").status_code == 200
        assert person.client.get("/v1/feed").status_code == 200
    numbers = [int(person.id) for person in people]
    post_ids = _load(luck, numbers)
    deleted = set(luck.sample(post_ids, len(post_ids) // 4))
    for post_id in deleted:
        delete_post(post_id=post_id)
    for person in people[:3]:
        other = people[4]
        if person.client.get(f"/v1/profiles/{other.id}/relationship").json()["following"]:
            assert person.client.delete(f"/v1/profiles/{other.id}/follow").status_code == 200
    delivered = 0
    while found := _deliver_in_disorder(luck):
        delivered += found
    assert delivered >= EVENTS
    assert not any(FailedDelivery.objects.using(context).exists() for context in CONTEXTS)
    out = io.StringIO()
    with contextlib.suppress(SystemExit):
        call_command("verify", "--json", stdout=out)
    assert [report["drifts"] for report in json.loads(out.getvalue())["contexts"] if report["drifts"]] == []
    for number in numbers:
        assert PostCount.objects.get(user_id=number).posts == Post.objects.filter(user_id=number).count()
    assert not Notification.objects.filter(post_id__in=deleted).exists(), "nobody is notified of deleted content"
    for person in people:
        page = person.client.get("/v1/feed?limit=100").json()["results"]
        assert deleted.isdisjoint(int(post["id"]) for post in page)
        found = person.client.get("/v1/search?q=shuffled&type=posts&limit=100").json()["results"]
        assert deleted.isdisjoint(int(result["item"]["id"]) for result in found)


def _load(luck: random.Random, people: list[int]) -> list[int]:
    """Imports posts, comments and reactions dated today, which publishes the same events as the API. The posts' ids."""
    now = datetime.now(UTC).isoformat()
    first = ids.new_id() + (1 << 16)
    numbers = iter(range(first, first + 100_000_000, 1 << 12))
    posts: list[dict[str, Any]] = [
        {"id": str(next(numbers)), "user_id": str(luck.choice(people)), "content": "shuffled", "created_at": now}
        for _ in range(EVENTS // 5)
    ]
    comments = [
        {
            "id": str(next(numbers)),
            "post_id": luck.choice(posts)["id"],
            "user_id": str(luck.choice(people)),
            "content": "yes",
            "created_at": now,
        }
        for _ in range(EVENTS * 2 // 5)
    ]
    pairs = {(luck.choice(posts)["id"], str(luck.choice(people))) for _ in range(EVENTS)}
    reactions = [
        {"id": str(next(numbers)), "user_id": user, "post_id": post, "reaction_type": "like", "created_at": now}
        for post, user in sorted(pairs)
    ]
    for kind, records in (("post", posts), ("comment", comments), ("reaction", reactions)):
        for start in range(0, len(records), 500):
            assert import_records(kind, records=records[start : start + 500]) == []
    return [int(post["id"]) for post in posts]


def test_two_processes_with_one_node_number(register: Callable[..., Person], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both make the same ids in the same millisecond: the second one draws others, and clients notice nothing."""
    ada = register("ada")
    moment = time.time_ns() // 1_000_000 + 5

    def generator() -> IdGenerator:
        ticks = iter(range(moment, moment + 1_000_000))
        return IdGenerator(node=lambda: 7, clock=lambda: next(ticks) // 4)

    made = []
    for process in range(2):
        monkeypatch.setattr(ids, "_generator", generator())
        for number in range(3):
            answer = ada.client.post("/v1/posts", {"content": f"post {number} of process {process}"})
            assert answer.status_code == 201, answer.content
            made.append(answer.json()["id"])
            again = ada.client.put(f"/v1/posts/{made[0]}/reaction", {"reaction_type": "like"})
            assert again.status_code == 200, again.content
    assert len(set(made)) == 6
    assert Post.objects.filter(user_id=int(ada.id)).count() == 6
