"""The server side of a WebSocket with budgets, so that no client makes it hold or do more than its share.

uvicorn answers pings and queues what it cannot send yet by itself, before and after the application knows the client.
Both are bounded here: bytes and frames that come, control frames among them, and output that is not read.
"""

import time
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# A client of ours sends a message a second at most, each up to 8 KiB, and a ping now and then.
BYTES, BYTES_A_SECOND = 256 * 1024, 16 * 1024
FRAMES, FRAMES_A_SECOND = 240, 20
MOST_UNREAD_BYTES = 128 * 1024
_CLOSING_BYTES = 8 * 1024


class _Budget:
    """A token bucket."""

    def __init__(self, capacity: int, refill: int) -> None:
        self._capacity, self._refill = float(capacity), refill
        self._left = self._capacity
        self._at = time.monotonic()

    def spend(self, amount: int) -> bool:
        """Whether there was so much left."""
        now = time.monotonic()
        self._left = min(self._left + (now - self._at) * self._refill, self._capacity) - amount
        self._at = now
        return self._left >= 0


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """Ends a connection that exceeds its budget, without another word."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._bytes = _Budget(BYTES, BYTES_A_SECOND)
        self._frames = _Budget(FRAMES, FRAMES_A_SECOND)
        self._after_close = 0

    def data_received(self, data: bytes) -> None:
        """Counts what comes, and what of the answers has not been read."""
        if not self._bytes.spend(len(data)) or not self._may_still_send(len(data)):
            self.transport.abort()
            return
        super().data_received(data)
        if self.transport.get_write_buffer_size() > MOST_UNREAD_BYTES:
            self.transport.abort()

    def handle_events(self) -> None:
        """Counts the frames of all kinds."""
        events = self.conn.events
        if not self._frames.spend(len(events)):
            self.transport.abort()
            return
        super().handle_events()

    def _may_still_send(self, size: int) -> bool:
        """After our close only the client's own is awaited, and what was under way."""
        if self.close_sent:
            self._after_close += size
        return self._after_close <= _CLOSING_BYTES
