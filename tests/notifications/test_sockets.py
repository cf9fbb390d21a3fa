"""The WebSocket, against a real server, real Redis and the real database."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from websockets.exceptions import InvalidStatus

from tests.conftest import ALL_CONTEXTS
from tests.notifications.live import LiveClient, SocketServer, connected, serving
from tests.notifications.test_telling import post

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)


@pytest.fixture
def server(transactional_db: None) -> Iterator[SocketServer]:
    """A running server of sockets."""
    with serving() as running:
        yield running


@pytest.fixture
def alice(register: Any) -> Any:
    return register("alice")


@pytest.fixture
def bob(register: Any, alice: Any) -> Any:
    """Follows alice."""
    person = register("bob")
    assert person.client.put(f"/v1/profiles/{alice.id}/follow").status_code == 200
    return person


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Runs a scenario to its end."""
    asyncio.run(scenario)


async def do(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Calls what is not async, in the test's own thread."""
    return await sync_to_async(function, thread_sensitive=True)(*args, **kwargs)


async def ready(client: LiveClient) -> dict[str, Any]:
    """The first message."""
    message = await client.receive()
    assert message["type"] == "ready", message
    return dict(message)


def test_a_new_notification_comes_at_once_and_as_the_list_shows_it(server, alice, bob, drain):
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
