"""One Redis subscription per process: follows channels, notices when Redis is unavailable, and reports when it is
back."""

import asyncio
from collections.abc import Awaitable, Callable

import redis.asyncio
import structlog
from django.conf import settings
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from socialapp.core.cache import redis_errors

log = structlog.get_logger()

_IDLE_SECONDS = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_AWAY: tuple[type[Exception], ...] = (*redis_errors(), OSError)


def group_key(group: str) -> str:
    """The Redis channel of a group of the channel layer (`socialapp.core.channel_layer`)."""
    return f"{settings.REDIS_PREFIX}group:{group}"


class Subscription:
    """Keeps the wanted channels subscribed and passes every message to `take`, with the channel it came from.

    After each connection except the first, `came_back` is called once all channels are subscribed again: messages
    published in between are lost, and their content must be fetched elsewhere.
    """

    def __init__(self, *, take: Callable[[str, bytes], None], came_back: Callable[[], Awaitable[None]]) -> None:
        self._take = take
        self._came_back = came_back
        self._wanted: set[str] = set()
        self._confirmed: set[str] = set()
        self._awaited: dict[str, asyncio.Event] = {}
        self._pubsub: PubSub | None = None

    async def follow(self, channel: str, *, patience: float) -> bool:
        """Subscribes, and waits up to `patience` seconds for Redis to confirm it; returns whether it did."""
        self._wanted.add(channel)
        if channel in self._confirmed:
            return True
        confirmed = self._awaited.setdefault(channel, asyncio.Event())
        await self._send("subscribe", channel)
        try:
            await asyncio.wait_for(confirmed.wait(), patience)
        except TimeoutError:
            return False
        return True

    async def leave(self, channel: str) -> None:
        """Unsubscribes."""
        self._wanted.discard(channel)
        self._confirmed.discard(channel)
        await self._send("unsubscribe", channel)

    async def _send(self, command: str, channel: str) -> None:
        if self._pubsub is None:
            return  # the next connection subscribes to everything that is wanted
        try:
            await getattr(self._pubsub, command)(channel)
        except _AWAY:
            log.info("sockets.subscription_broken", command=command)

    async def run(self) -> None:
        """Connects and reconnects until cancelled."""
        pause = _FIRST_PAUSE
        first = True
        while True:
            client = redis.asyncio.Redis.from_url(
                settings.REDIS_URL,
                socket_connect_timeout=2.0,
                socket_timeout=2.0,
                # If the library reconnected by itself, messages would be lost without notice.
                retry=Retry(NoBackoff(), 0),
            )
            pubsub = client.pubsub()
            try:
                await self._subscribe_all(pubsub)
                if not first:
                    await self._came_back()
                first, pause = False, _FIRST_PAUSE
                await self._read(pubsub)
            except _AWAY as error:
                log.warning("sockets.redis_away", error=repr(error), pause_seconds=pause)
                first = False
            finally:
                self._forget()
                await _close(pubsub, client)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _subscribe_all(self, pubsub: PubSub) -> None:
        waiting: set[str] = set()
        while missing := self._wanted - waiting:
            # Further channels may be wanted while this is running.
            await pubsub.subscribe(*sorted(missing))
            waiting |= missing
        self._pubsub = pubsub
        while waiting:
            message = await pubsub.get_message(timeout=_IDLE_SECONDS)
            if message is None:
                raise ConnectionError("Redis did not confirm the subscriptions")
            self._handle(message)
            if message["type"] == "subscribe":
                waiting.discard(message["channel"].decode())

    async def _read(self, pubsub: PubSub) -> None:
        asked = False
        while True:
            message = await pubsub.get_message(timeout=_IDLE_SECONDS)
            if message is not None:
                asked = False
                self._handle(message)
            elif asked:
                raise ConnectionError("Redis has gone silent")
            else:
                await pubsub.ping()
                asked = True

    def _handle(self, message: dict[str, object]) -> None:
        channel, data = message["channel"], message["data"]
        if not isinstance(channel, bytes):
            return
        if message["type"] == "message" and isinstance(data, bytes):
            self._take(channel.decode(), data)
        elif message["type"] == "subscribe" and channel.decode() in self._wanted:
            self._confirmed.add(channel.decode())
            if event := self._awaited.pop(channel.decode(), None):
                event.set()

    def _forget(self) -> None:
        self._pubsub = None
        self._confirmed.clear()


async def _close(pubsub: PubSub, client: "redis.asyncio.Redis") -> None:
    try:
        await pubsub.aclose()  # type: ignore[no-untyped-call]
        await client.aclose()
    except _AWAY:
        log.info("sockets.close_failed")
