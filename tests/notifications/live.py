"""A real server of the sockets in a thread of its own, and clients for it."""

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import uvicorn
from asgiref.sync import sync_to_async
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

TIMEOUT = 30.0  # nothing waits so long unless it fails


class SocketServer:
    """uvicorn with the product's ASGI application on a free port."""

    def __init__(self) -> None:
        from socialapp.asgi import application

        self._listener = socket.socket()
        # Small, so that a test need not send megabytes before a client that does not read holds anything up.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
        self._listener.bind(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        config = uvicorn.Config(
            application,
            log_config=None,
            lifespan="off",
            ws="socialapp.runtime.websockets:BoundedWebSocket",
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=2,
            loop="asyncio",
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True)

    @property
    def url(self) -> str:
        """Where the socket of notifications is."""
        return f"ws://127.0.0.1:{self.port}/ws/notifications/"

    def start(self) -> None:
        """Serves until `stop()`."""
        self._thread.start()
        while not self._server.started:
            threading.Event().wait(0.01)

    def stop(self) -> None:
        """Closes all sockets and ends the thread; a socket that outlives its loop is a ResourceWarning elsewhere."""
        self._server.should_exit = True
        self._thread.join(60)
        self._listener.close()
        assert not self._thread.is_alive()


@contextlib.contextmanager
def serving() -> Iterator[SocketServer]:
    """A running server."""
    server = SocketServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


class LiveClient:
    """One connection of one person."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, message: Any) -> None:
        """Sends a message as JSON; text as it is."""
        await self.connection.send(message if isinstance(message, str) else json.dumps(message))

    async def receive(self, timeout: float = TIMEOUT) -> Any:
        """The next message."""
        return json.loads(await asyncio.wait_for(self.connection.recv(), timeout))

    async def silence(self, seconds: float = 0.4) -> None:
        """Asserts that nothing comes."""
        with contextlib.suppress(TimeoutError):
            raise AssertionError(f"unexpected: {await self.receive(seconds)}")

    async def close_code(self) -> int | None:
        """Reads on until the server closes; the code."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.wait_for(self.connection.recv(), TIMEOUT)
        return self.connection.close_code


@contextlib.asynccontextmanager
async def connected_without_reading(server: SocketServer, access: str) -> AsyncIterator[LiveClient]:
    """A client that takes hardly anything in before it is asked to read."""
    ear = socket.socket()
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    ear.connect(("127.0.0.1", server.port))
    ear.setblocking(False)
    async with connect(
        server.url,
        sock=ear,
        subprotocols=[Subprotocol("bearer"), Subprotocol(access)],
        compression=None,
        open_timeout=TIMEOUT,
        proxy=None,
    ) as connection:
        connection.transport.pause_reading()
        yield LiveClient(connection)


@contextlib.asynccontextmanager
async def connected(server: SocketServer, access: str, *, origin: str | None = None) -> AsyncIterator[LiveClient]:
    """A client that has said who it is, as browsers must: in the subprotocols."""
    bearer = [Subprotocol("bearer"), Subprotocol(access)]
    async with connect(
        server.url,
        subprotocols=bearer,
        origin=origin,  # type: ignore[arg-type]
        open_timeout=TIMEOUT,
        proxy=None,
    ) as connection:
        yield LiveClient(connection)


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
