"""Open pages over a real socket: new posts of the feed, and changed counts of posts that may be seen."""

import math
import time
from collections.abc import Callable
from typing import Any

import pytest

from apps.notifications import actions
from apps.notifications.sockets.watching import Watchers
from apps.posts.actions.feed import fan_out, store
from tests.conftest import ALL_CONTEXTS, Person
from tests.notifications.conftest import comment, post, react
from tests.notifications.live import TIMEOUT, connected, do, ready, run

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)


@pytest.fixture
def drain(drain: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Delivers all events between two flushes, so that what they change is shown at once."""
    quiet_until = 0.0
    flush = Watchers.flush

    async def flush_unless_quiet(watchers: Watchers) -> None:
        if time.monotonic() > quiet_until:
            await flush(watchers)

    def deliver() -> int:
        nonlocal quiet_until
        quiet_until = math.inf
        try:
            return drain()
        finally:
            quiet_until = time.monotonic() + 0.5  # until they have come over Redis

    monkeypatch.setattr(Watchers, "flush", flush_unless_quiet)
    return deliver


@pytest.fixture
def people(register: Callable[..., Person], drain: Callable[[], int]) -> Any:
    """Bob and carol follow alice; carol wants no notifications of new posts."""
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    for person in (bob, carol):
        person.client.put(f"/v1/profiles/{alice.id}/follow")
    carol.client.patch("/v1/notifications/preferences", {"new_post": {"in_app": False}})
    drain()
    return alice, bob, carol


async def live(client: Any, timeout: float = TIMEOUT) -> Any:
    """The next message about an open page; notifications that come in between are passed over."""
    while True:
        message = await client.receive(timeout)
        if message["type"] not in ("notification", "unread"):
            return message


def test_new_posts_and_reposts_of_the_feed_are_shown_to_those_who_watch_it(
    server: Any, people: Any, register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob, carol = people
    dave = register("dave")
    elsewhere = post(dave)
    drain()

    async def scenario() -> None:
        async with (
            connected(server, bob.access) as watching,
            connected(server, carol.access) as also,
            connected(server, dave.access) as stranger,
            connected(server, alice.access) as author,
        ):
            for client in (watching, also, stranger, author):
                await ready(client)
                await client.send({"type": "watch", "feed": True})
                await client.send({"type": "ping"})
                assert (await live(client))["type"] == "pong"
            first, second = await do(post, alice, "one"), await do(post, alice, "two")
            await do(drain)
            for client in (watching, also, author):
                assert await live(client) == {"type": "feed", "post_ids": [second, first]}
            await do(alice.client.put, f"/v1/posts/{elsewhere}/repost")
            await do(drain)
            assert await live(watching) == {"type": "feed", "post_ids": [elsewhere]}
            with pytest.raises(TimeoutError):
                await live(stranger, 1.5)
            await watching.send({"type": "watch", "feed": False})
            await watching.send({"type": "ping"})
            assert (await live(watching))["type"] == "pong", "what was sent before is done"
            await do(post, alice, "three")
            await do(drain)
            assert (await live(also))["post_ids"] == [elsewhere]
            assert len((await live(also))["post_ids"]) == 1
            with pytest.raises(TimeoutError):
                await live(watching, 1.5)

    run(scenario())


def test_changed_counts_come_together_and_only_to_those_who_may_see_the_post(
    server: Any, people: Any, register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob, carol = people
    dave = register("dave")
    public, private = post(alice), post(alice, "friends", is_private=True)
    drain()

    async def scenario() -> None:
        async with connected(server, bob.access) as watching, connected(server, dave.access) as stranger:
            for client in (watching, stranger):
                await ready(client)
                await client.send({"type": "watch", "posts": [public, private]})
                await client.send({"type": "ping"})
                assert (await live(client))["type"] == "pong"
            await do(react, bob, private, "love")
            await do(react, carol, private, "sad")
            await do(comment, carol, private)
            await do(drain)
            message = await live(watching)
            assert message == {
                "type": "post",
                "id": private,
                "comments_count": 1,
                "reactions": {"like": 0, "love": 1, "haha": 0, "sad": 1, "angry": 0},
                "reposts_count": 0,
            }
            await do(actions.publish_media_change, user_id=int(dave.id), media_id=12, status="ready")
            assert await live(stranger) == {"type": "media", "id": "12", "status": "ready"}
            await do(dave.client.put, f"/v1/posts/{public}/repost")
            await do(drain)
            for client in (watching, stranger):
                message = await live(client)
                assert (message["id"], message["reposts_count"], message["comments_count"]) == (public, 1, 0)
            await do(dave.client.delete, f"/v1/posts/{public}/repost")
            await do(carol.client.delete, f"/v1/posts/{private}/reaction")
            await do(drain)
            assert {(await live(watching))["id"] for _ in range(2)} == {public, private}
            assert (await live(stranger))["reposts_count"] == 0
            with pytest.raises(TimeoutError):
                await live(stranger, 1.5)

    run(scenario())


def test_bad_watches_are_answered_and_change_nothing(server: Any, people: Any) -> None:
    _, bob, _ = people

    async def scenario() -> None:
        async with connected(server, bob.access) as client:
            await ready(client)
            refused: list[dict[str, Any]] = [
                {"feed": 1},
                {"posts": "1"},
                {"posts": {}},
                {"posts": [1]},
                {"posts": ["x"]},
                {"posts": ["1"] * 51},
                {"feed": None},
            ]
            for bad in refused:
                await client.send({"type": "watch", **bad})
                answer = await client.receive()
                assert (answer["type"], answer["code"]) == ("error", "invalid"), bad
            await client.send({"type": "watch", "posts": ["1"] * 50, "feed": True})
            await client.send({"type": "ping"})
            assert await client.receive() == {"type": "pong"}

    run(scenario())


def test_a_new_post_is_told_once_it_is_in_the_feed(
    server: Any, people: Any, drain: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fan-out is slower than notifications here: what is told could not be read."""
    alice, bob, _ = people
    assert bob.client.get("/v1/feed").status_code == 200  # from here on fan-out fills it
    late: list[dict[str, Any]] = []

    async def scenario() -> None:
        async with connected(server, bob.access) as client:
            await ready(client)
            await client.send({"type": "watch", "feed": True})
            await client.send({"type": "ping"})
            assert (await live(client))["type"] == "pong"
            with monkeypatch.context() as patch:
                patch.setattr(fan_out, "push_entries", lambda **arguments: late.append(arguments))
                post_id = await do(post, alice)
                await do(drain)
            with pytest.raises(TimeoutError):
                await live(client, 2.5)
            for arguments in late:
                await do(store.push_entries, **arguments)
            assert await live(client) == {"type": "feed", "post_ids": [post_id]}
            assert (await do(bob.client.get, "/v1/feed")).json()["results"][0]["id"] == post_id

    run(scenario())
