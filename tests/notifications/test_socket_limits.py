"""Whom the WebSocket accepts, for how long, and what it takes of them."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import jwt
import pytest
from django.conf import settings as configured
from websockets.exceptions import InvalidStatus

from apps.auth.actions.keys import forget_loaded_keys, rotate_keys
from apps.notifications.sockets.consumer import NotificationsConsumer
from socialapp.http.tokens import forget_rotated_keys
from tests.conftest import ALL_CONTEXTS, JsonClient
from tests.notifications.live import SocketServer, connected, connected_without_reading, do, ready, run

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)


@pytest.mark.parametrize("access", ["", "nonsense", "a.b.c", "x" * 5000])
def test_a_bad_token_is_closed_with_4401(server: SocketServer, access: Any) -> None:
    async def scenario() -> None:
        async with connected(server, access or "none") as client:
            assert await client.close_code() == 4401

    run(scenario())


def test_a_revoked_session_is_closed_and_cannot_come_back(server: SocketServer, bob: Any, settings: Any) -> None:
    settings.SOCKET_REVOCATION_SECONDS = 0.1

    async def scenario() -> None:
        async with connected(server, bob.access) as client:
            await ready(client)
            answer = await do(bob.client.post, "/v1/auth/logout", {"refresh": bob.refresh})
            assert answer.status_code == 204
            assert await client.close_code() == 4401
        async with connected(server, bob.access) as client:
            assert await client.close_code() == 4401

    run(scenario())


def token_for(person: Any, seconds: float) -> str:
    """An access token of the person that expires in `seconds`."""
    claims = jwt.decode(person.access, options={"verify_signature": False})
    claims.update(exp=time.time() + seconds)
    header = jwt.get_unverified_header(person.access)
    return jwt.encode(claims, configured.JWT_PRIVATE_KEY, algorithm="RS256", headers=header)


@pytest.fixture
def _forget_keys() -> Iterator[None]:
    yield
    forget_loaded_keys()
    forget_rotated_keys()


@pytest.mark.usefixtures("_forget_keys")
def test_a_token_signed_with_a_new_key_is_accepted(server: SocketServer, bob: Any) -> None:
    forget_rotated_keys()
    rotate_keys(at_once=True)
    renewed = JsonClient().post("/v1/auth/refresh", {"refresh": bob.refresh}).json()["access"]
    header = {**jwt.get_unverified_header(renewed), "kid": "invented"}
    claims = jwt.decode(renewed, options={"verify_signature": False})
    invented = jwt.encode(claims, configured.JWT_PRIVATE_KEY, algorithm="RS256", headers=header)
    forget_loaded_keys()  # a process that serves only sockets has not loaded them

    async def scenario() -> None:
        async with connected(server, renewed) as client:
            await ready(client)
        async with connected(server, invented) as client:
            assert await client.close_code() == 4401

    run(scenario())


def test_an_expired_token_closes_the_socket_unless_it_was_renewed(
    server: SocketServer, bob: Any, time_machine: Any
) -> None:
    async def scenario() -> None:
        async with connected(server, token_for(bob, 100)) as client, connected(server, token_for(bob, 100)) as other:
            await ready(client)
            await ready(other)
            await client.send({"type": "token", "access": token_for(bob, 1000)})
            await client.send({"type": "ping"})
            assert await client.receive() == {"type": "pong"}, "what was sent before is done"
            time_machine.move_to(datetime.now(UTC) + timedelta(seconds=101))
            assert await other.close_code() == 4401
            await client.send({"type": "ping"})
            assert await client.receive() == {"type": "pong"}

    run(scenario())


def test_a_token_of_somebody_else_or_a_bad_one_ends_the_socket(server: SocketServer, alice: Any, bob: Any) -> None:
    async def scenario() -> None:
        for access in (alice.access, "nonsense", None):
            async with connected(server, bob.access) as client:
                await ready(client)
                await client.send({"type": "token", "access": access})
                assert await client.close_code() == 4401

    run(scenario())


def test_a_foreign_page_is_refused_and_our_own_is_not(server: SocketServer, bob: Any, settings: Any) -> None:
    settings.ALLOWED_ORIGINS = ["https://social.example"]

    async def scenario() -> None:
        for origin in ("https://evil.example", "https://social.example.evil.example", "null"):
            with pytest.raises(InvalidStatus) as refused:
                async with connected(server, bob.access, origin=origin):
                    pass
            assert refused.value.response.status_code == 403
        async with connected(server, bob.access, origin="https://social.example") as client:
            await ready(client)

    run(scenario())


def test_a_page_may_open_a_socket_to_the_very_host_that_it_came_from(
    server: SocketServer, bob: Any, settings: Any
) -> None:
    settings.ALLOWED_ORIGINS = []
    here = server.url.replace("ws://", "http://").partition("/ws/")[0]

    async def scenario() -> None:
        async with connected(server, bob.access, origin=here) as client:
            await ready(client)
        settings.ALLOWED_HOSTS = ["social.example"]
        with pytest.raises(InvalidStatus):
            async with connected(server, bob.access, origin=here):
                pass

    run(scenario())


def test_messages_are_not_counted_where_limits_are_off(server: SocketServer, bob: Any, settings: Any) -> None:
    settings.RATE_LIMITS = False
    settings.SOCKET_MESSAGES = 1

    async def scenario() -> None:
        async with connected(server, bob.access) as client:
            await ready(client)
            for _ in range(50):
                await client.send({"type": "ping"})
            assert [await client.receive() for _ in range(50)] == [{"type": "pong"}] * 50

    run(scenario())


def test_bad_messages_are_answered_and_kill_nothing(server: SocketServer, bob: Any) -> None:
    bad = [
        "",
        "no json",
        "[]",
        "null",
        '"text"',
        "{}",
        '{"type": 5}',
        '{"type": "nothing"}',
        '{"type": "resume"}',
        '{"type": "resume", "after": 5}',
        '{"type": "read", "up_to": "x"}',
        '{"type": "read", "up_to": "99999999999999999999"}',
        '{"type": "read", "up_to": {"a": 1}}',
        "[" * 3000,
    ]

    async def scenario() -> None:
        async with connected(server, bob.access) as client:
            await ready(client)
            for message in bad:
                await client.send(message)
                answer = await client.receive()
                assert answer["type"] == "error", message
                assert answer["code"] in {"malformed", "unknown_type", "invalid"}
            await client.connection.send(b"\x00\x01")
            assert (await client.receive())["code"] == "malformed"
            await client.send({"type": "ping"})
            assert await client.receive() == {"type": "pong"}
        for large in ("x" * 9000, "é" * 5000, b"x" * 9000):
            async with connected(server, bob.access) as client:
                await ready(client)
                await client.connection.send(large)
                assert await client.close_code() == 1009
        async with connected(server, bob.access) as client:
            await ready(client)

    run(scenario())


def test_too_many_messages_and_too_many_sockets_are_refused(
    server: SocketServer, alice: Any, bob: Any, settings: Any
) -> None:
    settings.RATE_LIMITS = True
    settings.SOCKET_MESSAGES = 5
    settings.SOCKETS_PER_USER = 2

    async def scenario() -> None:
        async with connected(server, bob.access) as one, connected(server, bob.access) as two:
            await ready(one)
            await ready(two)
            async with connected(server, bob.access) as three:
                assert await three.close_code() == 4429
            async with connected(server, alice.access) as other:
                await ready(other)
            for _ in range(6):
                await one.send({"type": "ping"})
            answers = [await one.receive() for _ in range(6)]
            assert [answer["type"] for answer in answers] == ["pong"] * 5 + ["error"]
            assert answers[-1]["code"] == "rate_limited"
            for _ in range(20):
                await one.send({"type": "ping"})
            assert await one.close_code() == 4429

    run(scenario())


def test_a_client_that_does_not_read_is_dropped_and_the_others_are_served(
    server: SocketServer, alice: Any, bob: Any, drain: Callable[[], int], settings: Any
) -> None:
    dropped = threading.Event()
    end = NotificationsConsumer.end

    def note_end(self: NotificationsConsumer, code: int) -> None:
        end(self, code)
        dropped.set()

    settings.SOCKET_QUEUE = 50
    settings.SOCKET_SEND_SECONDS = 1.0
    drain()
    from apps.notifications.models import Notification

    Notification.objects.bulk_create(
        Notification(user_id=int(bob.id), kind="moderation", message="x" * 490, created_at="2026-01-01T00:00:00Z")
        for _ in range(1500)
    )

    async def scenario() -> None:
        async with connected_without_reading(server, bob.access) as slow:
            await slow.send({"type": "resume", "after": "0"})
            async with connected(server, alice.access) as quick:
                await ready(quick)
                assert await asyncio.to_thread(dropped.wait, 30)
                await quick.send({"type": "ping"})
                assert await quick.receive() == {"type": "pong"}
            slow.connection.transport.resume_reading()
            assert await slow.close_code() == 4408

    with patch.object(NotificationsConsumer, "end", note_end):
        run(scenario())
