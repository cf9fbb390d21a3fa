"""The WebSocket, against a real server, real Redis and the real database: what it sends, and what follows on resume."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from apps.notifications import queries
from apps.notifications.actions import NotificationChanged
from apps.notifications.actions.socket_messages import publish_to_user
from tests.conftest import ALL_CONTEXTS
from tests.notifications.conftest import post
from tests.notifications.live import LiveClient, SocketServer, connected, do, ready, run

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)


def test_a_new_notification_comes_at_once_and_as_the_list_shows_it(
    server: SocketServer, alice: Any, bob: Any, drain: Callable[[], int]
) -> None:
    drain()

    async def scenario() -> None:
        async with connected(server, bob.access) as client:
            assert client.connection.subprotocol == "bearer"
            assert await ready(client) == {"type": "ready", "unread": 0, "cursor": "0"}
            post_id = await do(post, alice)
            await do(drain)
            message = await client.receive()
            listed = (await do(bob.client.get, "/v1/notifications")).json()["results"]
            assert message == {"type": "notification", "notification": listed[0], "unread": 1}
            assert message["notification"]["target"]["id"] == post_id
            await do(bob.client.put, f"/v1/posts/{post_id}/reaction", {"reaction_type": "like"})
            await do(drain)
            await client.silence()

    run(scenario())


def test_what_was_missed_follows_on_resume_and_nothing_twice(
    server: SocketServer, alice: Any, bob: Any, drain: Callable[[], int]
) -> None:
    drain()

    async def scenario() -> None:
        async with connected(server, bob.access) as client:
            await ready(client)
            await do(post, alice, "one")
            await do(drain)
            seen = (await client.receive())["notification"]["id"]
        for text in ("two", "three"):
            await do(post, alice, text)
            await do(drain)
        newest_first = (await do(bob.client.get, "/v1/notifications")).json()["results"]
        missed = [item["id"] for item in reversed(newest_first)][1:]
        assert len(missed) == 2

        async with connected(server, bob.access) as client:
            assert await ready(client) == {"type": "ready", "unread": 3, "cursor": missed[-1]}
            await client.send({"type": "resume", "after": seen})
            assert [(await client.receive())["notification"]["id"] for _ in missed] == missed
            await client.send({"type": "resume", "after": seen})
            await client.silence()
            await do(post, alice, "four")
            await do(drain)
            assert (await client.receive())["unread"] == 4
            await client.send({"type": "resume", "after": "0"})
            assert (await client.receive())["notification"]["id"] == seen
            await client.silence()

    run(scenario())


def _two_notifications(alice: Any, bob: Any, drain: Callable[[], int]) -> list[str]:
    """The ids of two that bob has, the older first."""
    for text in ("one", "two"):
        post(alice, text)
    drain()
    return [item["id"] for item in reversed(bob.client.get("/v1/notifications").json()["results"])]


def test_a_late_message_about_an_older_notification_is_not_sent(
    server: SocketServer, alice: Any, bob: Any, drain: Callable[[], int]
) -> None:
    """Redis may be slow: the client had it over its connection before, or resumes."""
    one, two = _two_notifications(alice, bob, drain)

    async def scenario() -> None:
        async with connected(server, bob.access) as client:
            await ready(client)
            for ident in (one, two):
                await do(publish_to_user, NotificationChanged(bob.id, int(ident), ""))
            await client.silence()
            await client.send({"type": "resume", "after": one})
            assert (await client.receive())["notification"]["id"] == two
            await do(publish_to_user, NotificationChanged(bob.id, int(two), ""))
            await client.silence()

    run(scenario())


def test_no_notification_overtakes_an_earlier_one(
    server: SocketServer, alice: Any, bob: Any, drain: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is disconnected between the two would resume after the later one, and miss the earlier."""
    drain()
    count = queries.unread_counts
    asked = []

    def count_slowly_at_first(*, user_ids: Iterable[int]) -> dict[int, int]:
        asked.append(user_ids)
        if len(asked) == 1:
            time.sleep(1)
        return count(user_ids=user_ids)

    monkeypatch.setattr(queries, "unread_counts", count_slowly_at_first)

    async def scenario() -> None:
        async with connected(server, bob.access) as client:
            await ready(client)
            for _ in range(2):
                await do(post, alice)
                await do(drain)
            await do(alice.client.put, f"/v1/profiles/{bob.id}/follow")
            await do(drain)
            received = [(await client.receive())["notification"] for _ in range(3)]
            assert [each["kind"] for each in received] == ["new_post", "new_post", "follow"]
            assert [each["id"] for each in received] == sorted([each["id"] for each in received], key=int)
            assert asked

    run(scenario())


def test_a_resume_longer_than_a_page_while_new_ones_come_is_complete_ordered_and_without_repeats(
    server: SocketServer, alice: Any, bob: Any, drain: Callable[[], int], settings: Any
) -> None:
    """Nor does what is answered meanwhile end the socket, although more waits than the queue takes."""
    settings.SOCKET_QUEUE = 20
    drain()
    from apps.notifications.models import Notification

    rows = [
        Notification(user_id=int(bob.id), kind="moderation", message=f"number {n}", created_at="2026-01-01T00:00:00Z")
        for n in range(250)
    ]
    Notification.objects.bulk_create(rows)

    async def scenario() -> None:
        async with connected(server, bob.access) as client:
            assert (await ready(client))["unread"] == 250
            await client.send({"type": "resume", "after": "0"})
            await client.send({"type": "ping"})
            await do(post, alice)
            await do(drain)
            messages = [await client.receive() for _ in range(252)]
            got = [message["notification"]["id"] for message in messages if message != {"type": "pong"}]
            await client.silence()
        assert len(set(got)) == 251
        assert got[:250] == [str(row.id) for row in rows]

    run(scenario())


def test_a_thousand_cut_connections_resume_without_gap_or_double(
    server: SocketServer, alice: Any, register: Any, drain: Callable[[], int], settings: Any
) -> None:
    """Of four people, with new posts while they are connected, disconnected, and returning."""
    settings.SOCKETS_PER_USER = 1000
    settings.RATE_LIMITS = False
    people = [*(register(name) for name in ("bob", "carol", "dave", "erin"))]
    for person in people:
        assert person.client.put(f"/v1/profiles/{alice.id}/follow").status_code == 200
    drain()

    async def open_all(stack: contextlib.AsyncExitStack) -> list[LiveClient]:
        found: list[LiveClient] = []
        for _ in range(1000 // 40):  # so many handshakes at a time that none of them is given up
            opening = [stack.enter_async_context(connected(server, person.access)) for person in people * 10]
            found += await asyncio.gather(*opening)
        return found

    async def write(text: str) -> None:
        await do(post, alice, text)
        await do(drain)

    async def received(client: LiveClient, number: int) -> list[str]:
        return [(await client.receive(60))["notification"]["id"] for _ in range(number)]

    async def scenario() -> None:
        async with contextlib.AsyncExitStack() as stack:
            clients = await open_all(stack)
            for client in clients:
                await ready(client)
            await write("one")
            await write("two")
            before = await asyncio.gather(*(received(client, 2) for client in clients))
            for client in clients:
                client.connection.transport.abort()
        await write("three")
        async with contextlib.AsyncExitStack() as stack:
            again = await open_all(stack)
            for client in again:
                await ready(client)
            await write("four")
            for client, ids in zip(again, before, strict=True):
                await client.send({"type": "resume", "after": ids[-1]})
            returned = await asyncio.gather(*(received(client, 2) for client in again))
            await write("five")
            last = await asyncio.gather(*(received(client, 1) for client in again))
        listed = [(await do(person.client.get, "/v1/notifications")).json()["results"] for person in people]
        expected = [[item["id"] for item in reversed(results)] for results in listed] * 250
        assert [len(ids) for ids in expected[:4]] == [5] * 4
        got = [one + sorted(two, key=int) + three for one, two, three in zip(before, returned, last, strict=True)]
        assert got == expected

    run(scenario())


def test_reading_on_one_device_is_seen_on_the_others(
    server: SocketServer, alice: Any, bob: Any, drain: Callable[[], int]
) -> None:
    one, two = _two_notifications(alice, bob, drain)

    async def scenario() -> None:
        async with connected(server, bob.access) as phone, connected(server, bob.access) as desk:
            assert (await ready(phone))["unread"] == (await ready(desk))["unread"] == 2
            await phone.send({"type": "read", "up_to": one})
            expected = {"type": "read", "up_to": one, "unread": 1}
            assert (await phone.receive(), await desk.receive()) == (expected, expected)
            answer = await do(bob.client.post, "/v1/notifications/read", {"ids": [two]})
            assert answer.json() == {"count": 0}
            expected = {"type": "read", "up_to": None, "ids": [two], "unread": 0}
            assert (await phone.receive(), await desk.receive()) == (expected, expected)
            await phone.silence()

    run(scenario())


def test_what_is_taken_back_changes_the_unread_count_of_open_sockets(
    server: SocketServer, alice: Any, bob: Any, drain: Callable[[], int]
) -> None:
    drain()
    post_id = post(alice)
    drain()

    async def scenario() -> None:
        async with connected(server, bob.access) as client:
            assert (await ready(client))["unread"] == 1
            await do(alice.client.delete, f"/v1/posts/{post_id}")
            await do(drain)
            assert await client.receive() == {"type": "unread", "unread": 0}

    run(scenario())


def test_nothing_is_missed_when_the_connection_to_redis_breaks(
    server: SocketServer, alice: Any, bob: Any, drain: Callable[[], int]
) -> None:
    """The subscription is cut while posts are written: what was published meanwhile is found in the database."""
    drain()

    async def scenario() -> None:
        async with connected(server, bob.access) as client:
            await ready(client)
            cut = await do(kill_subscriptions)
            assert cut >= 1
            await do(post, alice, "while away")
            await do(drain)
            message = await client.receive()
            assert message["type"] == "notification"
            await do(post, alice, "when back")
            await do(drain)
            second = await client.receive()
            assert second["notification"]["id"] > message["notification"]["id"]
            await client.silence(1.0)

    run(scenario())


def kill_subscriptions() -> int:
    """Cuts every subscribed connection to the tests' own Redis database; how many."""
    from socialapp.core.cache import redis_client

    redis = redis_client()
    mine = str(redis.get_connection_kwargs().get("db") or 0)
    subscribed = [peer for peer in redis.client_list(_type="pubsub") if peer["db"] == mine]
    for peer in subscribed:
        redis.client_kill_filter(_id=peer["id"])
    return len(subscribed)
