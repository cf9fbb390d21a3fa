"""Writes to one client: directly while it reads, through a bounded queue while it does not."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from django.conf import settings

log = structlog.get_logger()

# Extension of our server (socialapp.runtime.websockets) in a connection's ASGI scope.
_SEND_NOW = "socialapp.send_now"


class Writer:
    """Sends text in order. Clients that read need neither task nor queue; `give_up` ends those that do not.

    Messages are sent immediately if the server supports that. If the client is slow, messages wait: at most
    SOCKET_QUEUE of them, each for at most SOCKET_SEND_SECONDS.
    """

    __slots__ = ("_give_up", "_send", "_send_now", "_sending", "_waiting")

    def __init__(
        self, scope: dict[str, Any], *, send: Callable[[str], Awaitable[None]], give_up: Callable[[], None]
    ) -> None:
        extension = scope.get("extensions", {}).get(_SEND_NOW)
        self._send_now: Callable[[bytes], bool] | None = extension["send"] if extension else None
        self._send = send
        self._give_up = give_up
        self._waiting: deque[str] | None = None
        self._sending: asyncio.Task[None] | None = None

    @property
    def is_behind(self) -> bool:
        """Whether so many messages wait that dispensable ones should be dropped."""
        return self._waiting is not None and len(self._waiting) >= settings.SOCKET_QUEUE // 2

    def put(self, text: str) -> None:
        """Sends the text, or queues it; gives the client up if the queue is full."""
        if self._waiting is None:
            if self._send_now is not None and self._send_now(text.encode()):
                return
            self._waiting = deque((text,))
            self._sending = asyncio.get_running_loop().create_task(self._send_waiting())
        elif len(self._waiting) >= settings.SOCKET_QUEUE:
            self._give_up()
        else:
            self._waiting.append(text)

    async def put_in_turn(self, text: str) -> None:
        """Sends the text after everything before it; TimeoutError if the client does not read."""
        if self._sending is not None:
            _, unsent = await asyncio.wait({self._sending}, timeout=settings.SOCKET_SEND_SECONDS)
            if unsent:
                raise TimeoutError
        self.put(text)

    def stop(self) -> None:
        """Drops the queue."""
        if self._sending is not None:
            self._sending.cancel()

    async def _send_waiting(self) -> None:
        try:
            while self._waiting:
                await asyncio.wait_for(self._send(self._waiting[0]), settings.SOCKET_SEND_SECONDS)
                self._waiting.popleft()
        except TimeoutError:
            self._give_up()
        except Exception as error:
            # The server noticed a lost connection before we did.
            log.info("sockets.send_failed", error=repr(error))
        finally:
            self._waiting = self._sending = None
