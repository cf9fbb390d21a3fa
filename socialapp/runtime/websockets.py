"""The server side of WebSockets, with budgets, so that no client makes it store or do more than its share.

By itself, uvicorn answers pings and queues output that it cannot send yet, before and after the application knows the
client. Both are bounded here: incoming bytes and frames, including control frames, and output that is not read.
"""

import asyncio
import time
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

# Our own client sends at most one message per second, each up to 8 KiB, and an occasional ping.
BYTES, BYTES_A_SECOND = 256 * 1024, 16 * 1024
FRAMES, FRAMES_A_SECOND = 240, 20
MOST_UNREAD_BYTES = 128 * 1024
_CLOSING_BYTES = 8 * 1024


# The ASGI extension that provides `BoundedWebSocket.send_now`.
SEND_NOW = "socialapp.send_now"


class _Budget:
    """A token bucket."""

    __slots__ = ("_at", "_capacity", "_left", "_refill")

    def __init__(self, capacity: int, refill: int) -> None:
        self._capacity, self._refill = float(capacity), refill
        self._left = self._capacity
        self._at = time.monotonic()

    def spend(self, amount: int) -> bool:
        """Takes this amount; False if less was left."""
        now = time.monotonic()
        self._left = min(self._left + (now - self._at) * self._refill, self._capacity) - amount
        self._at = now
        return self._left >= 0


class _Inbox:
    """Replaces asyncio.Queue for one reader, in a tenth of its 3 KiB, which would be a tenth of an idle socket's
    memory."""

    __slots__ = ("_items", "_reader")

    def __init__(self) -> None:
        self._items: list[Any] = []
        self._reader: asyncio.Future[None] | None = None

    def empty(self) -> bool:
        """Whether there is nothing to read."""
        return not self._items

    def put_nowait(self, item: Any) -> None:
        """Adds an item; few wait, as reading from the client pauses while one does."""
        self._items.append(item)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def get(self) -> Any:
        """Returns the oldest item, waiting for one if necessary."""
        while not self._items:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self._items.pop(0)


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """Closes a connection that exceeds its budget, without a message."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._bytes = _Budget(BYTES, BYTES_A_SECOND)
        self._frames = _Budget(FRAMES, FRAMES_A_SECOND)
        self._after_close = 0
        self.queue = _Inbox()  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Counts incoming bytes, and output that has not been read."""
        if not self._bytes.spend(len(data)) or not self._may_still_send(len(data)):
            self.transport.abort()
            return
        super().data_received(data)
        if self.transport.get_write_buffer_size() > MOST_UNREAD_BYTES:
            self.transport.abort()

    def handle_events(self) -> None:
        """Counts frames of all kinds."""
        events = self.conn.events
        if not self._frames.spend(len(events)):
            self.transport.abort()
            return
        super().handle_events()

    def handle_connect(self, event: Request) -> None:
        """Offers `send_now` to the application, and drops the second copy of the request's headers."""
        super().handle_connect(event)
        event.headers.clear()
        if self.handshake_complete:
            return  # rejected
        self.scope["extensions"][SEND_NOW] = {"send": self.send_now}

    def start_keepalive(self) -> None:
        """Called when the handshake has been answered: its response is no longer needed."""
        super().start_keepalive()
        del self.response, self.request

    def send_now(self, text: bytes) -> bool:
        """Sends a message without a task or anything to await; returns False and sends nothing if the client is behind.

        ASGI's own `send` takes several times as long, which matters when one event goes to thousands of clients.
        """
        if self.conn.state is not State.OPEN or not self.writable.is_set() or self.transport.is_closing():
            return False
        self.conn.send_text(text)
        self.transport.write(b"".join(self.conn.data_to_send()))
        return True

    def _may_still_send(self, size: int) -> bool:
        """After we sent a close frame, only the client's close frame and what was under way are expected."""
        if self.close_sent:
            self._after_close += size
        return self._after_close <= _CLOSING_BYTES
