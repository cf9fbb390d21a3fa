"""The channel layer (Channels' CHANNEL_LAYERS): groups over one Redis subscription per process.

Like channels_redis' pub/sub layer it stores nothing for absent receivers. Unlike it, a message is decoded once per
process, not once per socket, and one function can listen to a group for all its sockets (`listen`), which is how
notifications are delivered. Messages must be JSON values.
"""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
import structlog
from asgiref.sync import sync_to_async
from channels.layers import BaseChannelLayer

from socialapp.core.cache import redis_client
from socialapp.core.subscription import Subscription, group_key

log = structlog.get_logger()

Message = dict[str, Any]
Listener = Callable[[str, bytes], None]

_SUBSCRIBE_SECONDS = 1.0
_RECIPIENT = "__channel__"
_PROCESS_GROUP = "process."


class PubSubLayer(BaseChannelLayer):
    """See Channels' specification of channel layers; `extensions` lists the supported ones."""

    extensions = ("groups",)

    def __init__(self, expiry: int = 60, capacity: int = 100) -> None:
        super().__init__(expiry=expiry, capacity=capacity)  # type: ignore[no-untyped-call]
        self._process = secrets.token_hex(8)
        self._hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, _Hub] = WeakKeyDictionary()

    async def new_channel(self, prefix: str = "specific") -> str:
        """The name of a new channel of this process."""
        return f"{prefix}.{self._process}!{secrets.token_hex(8)}"

    async def send(self, channel: str, message: Message) -> None:
        """Sends a message to one channel; it is lost if nobody receives there."""
        self._check(channel=channel)
        await _publish(_home_of(channel), {**message, _RECIPIENT: channel})

    async def receive(self, channel: str) -> Message:
        """The next message of a channel of this process."""
        self._check(channel=channel)
        return await self._hub().receive(channel, capacity=self.capacity)

    async def group_add(self, group: str, channel: str) -> None:
        """Adds a channel of this process to a group. Idempotent."""
        self._check(group=group, channel=channel)
        await self._hub().join(group, channel, capacity=self.capacity)

    async def group_discard(self, group: str, channel: str) -> None:
        """Removes a channel from a group. Idempotent."""
        self._check(group=group)
        await self._hub().part(group, channel)

    async def group_send(self, group: str, message: Message) -> None:
        """Sends a message to every channel and listener of a group, in all processes. May be called from anywhere."""
        self._check(group=group)
        await _publish(group, message)

    # --- Beyond Channels' specification

    async def listen(self, group: str, listener: Listener) -> None:
        """Calls `listener(group, message)` with the JSON of every message of a group. Idempotent."""
        await self._hub().listen(group, listener)

    async def stop_listening(self, group: str, listener: Listener) -> None:
        """Stops calling the listener. Idempotent."""
        await self._hub().stop_listening(group, listener)

    def when_back(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Calls `callback` whenever Redis is subscribed to again after an outage: messages may be lost."""
        self._hub().came_back.append(callback)

    def _check(self, *, group: str | None = None, channel: str | None = None) -> None:
        """TypeError for invalid names of groups or channels."""
        if group is not None:
            self.require_valid_group_name(group)  # type: ignore[no-untyped-call]
        if channel is not None:
            self.require_valid_channel_name(channel)  # type: ignore[no-untyped-call]

    def _hub(self) -> "_Hub":
        loop = asyncio.get_running_loop()
        if loop not in self._hubs:
            self._hubs[loop] = _Hub()
        return self._hubs[loop]


class _Hub:
    """The subscriptions of one event loop."""

    def __init__(self) -> None:
        self.came_back: list[Callable[[], Awaitable[None]]] = []
        self._queues: dict[str, asyncio.Queue[Message]] = {}
        self._members: dict[str, set[str]] = defaultdict(set)
        self._listeners: dict[str, set[Listener]] = defaultdict(set)
        self._subscription = Subscription(take=self._take, came_back=self._came_back)
        self._running = asyncio.get_running_loop().create_task(self._subscription.run())

    async def receive(self, channel: str, *, capacity: int) -> Message:
        queue = self._queue(channel, capacity)
        await self._subscription.follow(group_key(_home_of(channel)), patience=_SUBSCRIBE_SECONDS)
        try:
            return await queue.get()
        except asyncio.CancelledError:
            await self._forget(channel)
            raise

    async def join(self, group: str, channel: str, *, capacity: int) -> None:
        self._queue(channel, capacity)
        self._members[group].add(channel)
        await self._subscription.follow(group_key(group), patience=_SUBSCRIBE_SECONDS)

    async def part(self, group: str, channel: str) -> None:
        self._members[group].discard(channel)
        await self._leave_if_empty(group)

    async def listen(self, group: str, listener: Listener) -> None:
        self._listeners[group].add(listener)
        await self._subscription.follow(group_key(group), patience=_SUBSCRIBE_SECONDS)

    async def stop_listening(self, group: str, listener: Listener) -> None:
        self._listeners[group].discard(listener)
        await self._leave_if_empty(group)

    async def _forget(self, channel: str) -> None:
        self._queues.pop(channel, None)
        for group in [group for group, members in self._members.items() if channel in members]:
            await self.part(group, channel)

    async def _leave_if_empty(self, group: str) -> None:
        if not self._members[group] and not self._listeners[group]:
            del self._members[group], self._listeners[group]
            await self._subscription.leave(group_key(group))

    def _queue(self, channel: str, capacity: int) -> "asyncio.Queue[Message]":
        return self._queues.setdefault(channel, asyncio.Queue(capacity))

    async def _came_back(self) -> None:
        for callback in self.came_back:
            await callback()

    def _take(self, key: str, data: bytes) -> None:
        group = key.removeprefix(group_key(""))
        for listener in tuple(self._listeners.get(group, ())):
            listener(group, data)
        members = self._members.get(group, ())
        if not members and not group.startswith(_PROCESS_GROUP):
            return
        try:
            message = msgspec.json.decode(data, type=Message)
        except msgspec.MsgspecError:
            log.warning("channel_layer.unknown_message", group=group)
            return
        recipient = message.pop(_RECIPIENT, None)
        for channel in tuple(members) if recipient is None else (recipient,):
            self._put(channel, dict(message))

    def _put(self, channel: str, message: Message) -> None:
        queue = self._queues.get(channel)
        if queue is None:
            return
        try:
            queue.put_nowait(message)
        except asyncio.QueueFull:
            log.warning("channel_layer.full", channel=channel)


def _home_of(channel: str) -> str:
    """The group of a channel's process."""
    return f"{_PROCESS_GROUP}{channel.partition('!')[0]}"


async def _publish(group: str, message: Message) -> None:
    await sync_to_async(redis_client().publish, thread_sensitive=False)(group_key(group), msgspec.json.encode(message))
