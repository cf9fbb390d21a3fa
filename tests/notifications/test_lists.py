"""Lists and counts: only what may be seen now, in pages that neither skip nor repeat, at a constant price."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from apps.moderation.actions import ban_user, unban_user
from apps.notifications.models import Notification, NotificationActor
from apps.notifications.tasks import prune_read
from socialapp.core.ids import first_id_at
from socialapp.messaging.models import OutboxEvent
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.notifications.conftest import comment, kinds, notifications_of, post, react, unread

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def notices(person: Person, count: Any) -> Any:
    """Notifications without actors or targets."""
    rows = [
        Notification(user_id=int(person.id), kind="moderation", message=f"{n}", created_at=datetime.now(UTC))
        for n in range(count)
    ]
    return Notification.objects.bulk_create(rows)


def test_pages_neither_skip_nor_repeat_while_new_ones_come(register: Callable[..., Person]) -> None:
    alice = register("alice")
    rows = notices(alice, 45)
    expected = [str(row.id) for row in reversed(rows)]
    seen, url = [], "/v1/notifications?limit=10"
    while url:
        page = alice.client.get(url.removeprefix("http://testserver")).json()
        seen += [item["id"] for item in page["results"]]
        url = page["next"]
        notices(alice, 3)
    assert seen == expected
    page = alice.client.get("/v1/notifications?limit=10&unread=true").json()
    assert page["previous"] is None
    second = alice.client.get(page["next"].removeprefix("http://testserver")).json()
    back = alice.client.get(second["previous"].removeprefix("http://testserver")).json()
    assert [item["id"] for item in back["results"]] == [item["id"] for item in page["results"]]


def test_a_page_of_fifty_costs_as_many_queries_as_one_of_one(
    register: Callable[..., Person], drain: Callable[[], int], follow: Callable[[Person, Person], None]
) -> None:
    alice, others = register("alice"), [register(f"other{n}") for n in range(4)]
    for number in range(14):
        post_id = post(alice, f"post {number}")
        for other in others:
            react(other, post_id)
        comment(others[0], post_id)
        drain()
    follow(alice, others[1])
    for number in range(14):
        post(others[1], f"by another {number}")
    drain()
    assert len(notifications_of(alice, "?limit=50")) >= 40

    def queries(path: Any) -> Any:
        with ExitStack() as stack:
            captured = [stack.enter_context(CaptureQueriesContext(connections[name])) for name in ALL_CONTEXTS]
            assert alice.client.get(path).status_code == 200
            return sum(len(one) for one in captured)

    # From 16 on a page holds posts and comments, joined notifications and single ones.
    assert queries("/v1/notifications?limit=16") == queries("/v1/notifications?limit=50")
    assert queries("/v1/notifications?limit=1") < queries("/v1/notifications?limit=50")
    alice.client.post("/v1/notifications/read", {"up_to": notifications_of(alice)[0]["id"]})
    assert queries("/v1/notifications/unread-count") == 1, "who has read everything costs one query"


def test_what_may_not_be_seen_now_is_neither_listed_nor_counted(
    register: Callable[..., Person], drain: Callable[[], int], follow: Callable[[Person, Person], None]
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    post_id = post(alice, "hi @bob @carol")
    drain()
    assert (unread(bob), unread(carol)) == (1, 1)
    follow(carol, alice)
    alice.client.patch(f"/v1/posts/{post_id}", {"is_private": True})
    drain()
    assert (notifications_of(bob), unread(bob)) == ([], 0)
    assert (len(notifications_of(carol)), unread(carol)) == (1, 1)
    alice.client.patch(f"/v1/posts/{post_id}", {"is_private": False})
    drain()
    assert (len(notifications_of(bob)), unread(bob)) == (1, 1)
    alice.client.patch("/v1/profiles/me", {"is_private": True})
    assert (notifications_of(bob), unread(bob)) == ([], 0)


def test_the_banned_are_left_out_and_come_back(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    alice, bob, carol, moderator = (register(name) for name in ("alice", "bob", "carol", "morton"))
    post_id = post(alice)
    for person in (bob, carol):
        react(person, post_id)
        drain()
    comment(carol, post_id)
    drain()
    ban_user(moderator_id=int(moderator.id), user_id=int(carol.id), reason="spam")
    drain()
    [item] = notifications_of(alice)
    assert (item["actors_count"], item["message"]) == (1, "bob reacted to your post.")
    assert unread(alice) == 1
    unban_user(moderator_id=int(moderator.id), user_id=int(carol.id), reason="sorry")
    drain()
    assert kinds(alice) == ["comment", "reaction"]


def test_reading_by_ids_and_up_to(register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    rows, others = notices(alice, 5), notices(bob, 1)
    before = OutboxEvent.objects.using("notifications").count()
    answer = alice.client.post("/v1/notifications/read", {"ids": [str(rows[4].id), str(others[0].id), "12345"]})
    assert (answer.status_code, answer.json()) == (200, {"count": 4})
    assert unread(bob) == 1, "nobody reads for somebody else"
    answer = alice.client.post("/v1/notifications/read", {"up_to": str(rows[2].id)})
    assert answer.json() == {"count": 1}
    assert [item["id"] for item in notifications_of(alice, "?unread=true")] == [str(rows[3].id)]
    assert alice.client.post("/v1/notifications/read", {"up_to": str(rows[2].id)}).json() == {"count": 1}
    assert OutboxEvent.objects.using("notifications").count() == before


BAD_READING = [
    ({}, 422),
    ({"ids": ["1"], "up_to": "1"}, 422),
    ({"ids": []}, 422),
    ({"ids": [1]}, 422),
    ({"ids": "1"}, 422),
    ({"ids": ["1"] * 1001}, 422),
    ({"up_to": 5}, 422),
    ({"up_to": "99999999999999999999"}, 422),
    ({"up_to": "-1"}, 422),
    ({"up_to": None}, 422),
    ({"up_to": "1", "more": 1}, 422),
    (b"{", 400),
    (b"[]", 400),
]


def test_bad_reading_is_refused_and_reads_nothing(register: Callable[..., Person]) -> None:
    alice = register("alice")
    notices(alice, 2)
    for body, status in BAD_READING:
        answer = alice.client.post("/v1/notifications/read", body)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), body
    assert unread(alice) == 2


def test_bad_questions_are_refused(register: Callable[..., Person], anonymous: JsonClient) -> None:
    alice = register("alice")
    for query in ("unread=maybe", "limit=0", "limit=x", "cursor=nonsense"):
        assert alice.client.get(f"/v1/notifications?{query}").status_code == 400
    for path in ("notifications", "notifications/unread-count", "notifications/preferences", "push-subscriptions"):
        assert anonymous.get(f"/v1/{path}").status_code == 401


def test_what_was_read_long_ago_is_deleted_and_nothing_else(register: Callable[..., Person]) -> None:
    alice = register("alice")
    now = datetime.now(UTC)
    old = first_id_at(now - timedelta(days=91))
    made = {"user_id": int(alice.id), "kind": "moderation", "message": "x", "created_at": now}
    Notification.objects.create(id=old, is_read=True, **made)
    Notification.objects.create(id=old + 1, is_read=False, **made)
    young = Notification.objects.create(is_read=True, **made)
    ages_and_groups = [(91, None), (92, 5), (89, None)]
    actors = [
        NotificationActor.objects.create(
            user_id=alice.id, topic=f"reaction:post:{days}", actor_id=7, group_id=group, at=now - timedelta(days=days)
        )
        for days, group in ages_and_groups
    ]
    prune_read()
    prune_read()
    assert set(Notification.objects.values_list("id", flat=True)) == {old + 1, young.id}
    assert set(NotificationActor.objects.all()) == set(actors[1:]), "the actor of a notification deleted long ago goes"
