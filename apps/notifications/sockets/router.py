"""The router of a process: passes messages from Redis to the sockets concerned."""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Iterable
from contextvars import Context
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import msgspec
import structlog
from channels.layers import get_channel_layer
from django.conf import settings

from apps.notifications import access, actions, presenters, queries
from apps.notifications.actions import (
    EVERYBODY,
    FeedChanged,
    MarkedRead,
    NotificationChanged,
    NotificationsCreated,
    NotificationsRemoved,
    PostsChanged,
    Shown,
    SocketMessage,
)
from apps.notifications.sockets.catch_up import deliver_missed
from apps.notifications.sockets.revocation import revoked_among
from apps.notifications.sockets.threads import in_thread
from apps.notifications.sockets.types import Socket
from apps.notifications.sockets.watching import Watchers
from socialapp.core.channel_layer import PubSubLayer
from socialapp.core.json import to_json
from socialapp.telemetry import traces
from socialapp.telemetry.metrics import count_socket

log = structlog.get_logger()

_LIVE_SECONDS = 1.0
_BAD_TOKEN = 4401


class SocketRouter:
    """One per process (and event loop). All methods are called on that loop."""

    def __init__(self) -> None:
        self.origin = secrets.token_hex(8)
        self.watchers = Watchers()
        self._sockets: dict[int, tuple[Socket, ...]] = {}
        self._pending: list[SocketMessage] = []
        self._delivering = asyncio.Lock()
        self._shown: dict[int, int] = {}  # person → the newest notification sent to one of their sockets
        self._tasks: set[asyncio.Task[None]] = set()
        self._layer: PubSubLayer = get_channel_layer()  # type: ignore[no-untyped-call]
        self._started = False

    async def start(self) -> None:
        """Starts listening, once."""
        if not self._started:
            self._started = True
            self._layer.when_back(self._catch_up)
            self._spawn(self._every(lambda: settings.SOCKET_REVOCATION_SECONDS, self._end_revoked))
            self._spawn(self._every(lambda: settings.SOCKET_RESYNC_SECONDS, self.look_for_missed))
            self._spawn(self._every(lambda: _LIVE_SECONDS, self._end_expired))
            self._spawn(self._every(lambda: _LIVE_SECONDS, self.watchers.flush))
            self._spawn(self._every(lambda: _LIVE_SECONDS, self._record_shown))
            await self._layer.listen(EVERYBODY, self._take)

    def sockets_of(self, user_id: int) -> tuple[Socket, ...]:
        """The person's sockets in this process."""
        return self._sockets.get(user_id, ())

    async def add(self, socket: Socket) -> None:
        """Routes all messages to the socket that are published from now on."""
        self._sockets[socket.principal.id] = (*self.sockets_of(socket.principal.id), socket)
        count_socket(1)
        await self._layer.listen(actions.user_group(socket.principal.id), self._take)

    async def discard(self, socket: Socket) -> None:
        """Removes the socket. Idempotent."""
        self.watchers.forget(socket)
        user_id = socket.principal.id
        if socket not in self.sockets_of(user_id):
            return
        count_socket(-1)
        self._sockets[user_id] = tuple(other for other in self._sockets[user_id] if other is not socket)
        if not self._sockets[user_id]:
            del self._sockets[user_id]
            await self._layer.stop_listening(actions.user_group(user_id), self._take)

    def read_here(self, user_id: int, up_to: int) -> None:
        """Shows the person's sockets in this process what was read through one of them, without Redis."""
        self._queue(MarkedRead(user_id, up_to, [], ""))

    async def _catch_up(self) -> None:
        """After an outage of Redis: sends what was created and read meanwhile."""
        await self.look_for_missed()
        self._queue(NotificationsRemoved(list(self._sockets)))

    async def look_for_missed(self) -> None:
        """Sends every socket what it missed: after an outage of Redis, and periodically."""
        users = list(self._sockets)
        if not users:
            return
        newest = await in_thread(queries.newest_ids, user_ids=users)
        for user_id in users:
            sockets = self.sockets_of(user_id)
            if sockets and newest.get(user_id, 0) > min(socket.last for socket in sockets):
                async with self._delivering:
                    await deliver_missed(self, user_id)

    async def deliver(self, user_id: int, ids: list[int]) -> None:
        """Offers notifications to the person's sockets."""
        if not ids:
            return
        bodies, unread = await in_thread(_render, user_id, ids)
        for socket in self.sockets_of(user_id):
            for notification_id, body in bodies.items():
                self._offer(socket, notification_id, body, counted=unread.count + unread.hidden)

    def _offer(self, socket: Socket, notification_id: int, body: str, *, counted: int) -> None:
        socket.offer(notification_id, body, counted=counted)
        user_id = socket.principal.id
        self._shown[user_id] = max(self._shown.get(user_id, 0), notification_id)

    # --- Messages of the channel layer

    def _take(self, group: str, data: bytes) -> None:
        try:
            message = actions.decode_socket_message(data)
        except msgspec.DecodeError:
            log.warning("sockets.unknown_message")
            return
        match message:
            case NotificationChanged() | NotificationsCreated() | MarkedRead() | NotificationsRemoved():
                self._queue(message)
            case FeedChanged():
                self.watchers.feed_changed(message.post_id, message.user_ids)
            case PostsChanged():
                self.watchers.posts_changed(message.post_ids)
            case Shown():
                self._show(group, message)

    def _show(self, group: str, message: Shown) -> None:
        for user_id in [user_id for user_id in self._sockets if group in (EVERYBODY, actions.user_group(user_id))]:
            for socket in self.sockets_of(user_id):
                socket.show(message.message)

    def _queue(self, message: SocketMessage) -> None:
        """Delivers messages in order: who resumes names the last id received, and no smaller one may be on its way.

        Those that queue up meanwhile are delivered together.
        """
        is_ours = isinstance(message, MarkedRead) and message.origin == self.origin
        if is_ours or not self._concerned(message):
            return
        self._pending.append(message)
        if len(self._pending) == 1:
            self._spawn(self._deliver_pending())

    def _concerned(self, message: SocketMessage) -> list[int]:
        """The people with sockets in this process whom a message concerns."""
        match message:
            case NotificationChanged() | MarkedRead():
                people = [message.user_id]
            case NotificationsCreated():
                people = [user_id for user_id, _ in message.recipients]
            case NotificationsRemoved():
                people = message.user_ids
            case _:
                people = []
        return [user_id for user_id in people if user_id in self._sockets]

    async def _deliver_pending(self) -> None:
        async with self._delivering:
            messages, self._pending = self._pending, []
            await self._deliver_all(messages)

    async def _deliver_all(self, messages: list[SocketMessage]) -> None:
        since = traces.now()
        news = await self._load(messages)
        for message in messages:
            match message:
                case NotificationChanged():
                    self._deliver_changed(message, news)
                    traces.record("push to sockets", kind=traces.Kind.CONSUMER, parent=message.traceparent, since=since)
                case NotificationsCreated():
                    people = self._deliver_created(message, news)
                    traces.record(
                        "push to sockets",
                        kind=traces.Kind.CONSUMER,
                        parent=message.traceparent,
                        since=since,
                        people=people,
                    )
                case MarkedRead() | NotificationsRemoved():
                    self._deliver_unread(message, news)

    async def _load(self, messages: list[SocketMessage]) -> "_News":
        """What messages that are delivered together need from the database; read for all people at once."""
        changed: dict[int, list[int]] = {}
        asked: set[int] = set()
        many: set[int] = set()
        for message in messages:
            match message:
                case NotificationChanged():
                    changed.setdefault(message.user_id, []).append(message.notification_id)
                case NotificationsCreated():
                    many.update(self._concerned(message))
                case _:
                    asked.update(self._concerned(message))
        counted = dict.fromkeys(many, 0) | (await in_thread(queries.unread_counts, user_ids=many) if many else {})
        rendered = await asyncio.gather(*(in_thread(_render, *item) for item in changed.items()))
        unread = await asyncio.gather(*(in_thread(access.unread_count, user_id=user_id) for user_id in asked))
        return _News(counted, dict(zip(changed, rendered, strict=True)), dict(zip(asked, unread, strict=True)))

    def _deliver_changed(self, message: NotificationChanged, news: "_News") -> None:
        bodies, unread = news.rendered[message.user_id]
        body = bodies.get(message.notification_id)
        if body is not None:
            for socket in self.sockets_of(message.user_id):
                self._offer(socket, message.notification_id, body, counted=unread.count + unread.hidden)

    def _deliver_created(self, message: NotificationsCreated, news: "_News") -> int:
        """Returns the number of people. Sockets that were opened meanwhile have found it in the database."""
        here = [(user_id, ident) for user_id, ident in message.recipients if user_id in news.counted]
        fields = bytes(message.body).decode()[1:]
        for user_id, notification_id in here:
            body = f'{{"id":"{notification_id}",{fields}'
            for socket in self.sockets_of(user_id):
                self._offer(socket, notification_id, body, counted=news.counted[user_id])
        return len(here)

    def _deliver_unread(self, message: MarkedRead | NotificationsRemoved, news: "_News") -> None:
        for user_id in self._concerned(message):
            if user_id in news.unread:
                for socket in self.sockets_of(user_id):
                    socket.show_unread(news.unread[user_id], read=message if isinstance(message, MarkedRead) else None)

    # --- From time to time

    async def _end_expired(self) -> None:
        now = time.time()
        for socket in [socket for mine in self._sockets.values() for socket in mine if socket.expires <= now]:
            socket.end(_BAD_TOKEN)

    async def _end_revoked(self) -> None:
        sockets = [socket for mine in self._sockets.values() for socket in mine]
        if not sockets:
            return
        revoked = await in_thread(revoked_among, {socket.principal for socket in sockets})
        for socket in sockets:
            if socket.principal in revoked:
                socket.end(_BAD_TOKEN)

    async def _record_shown(self) -> None:
        """Records what open pages have shown, so that it is not pushed as well."""
        if self._shown:
            shown, self._shown = self._shown, {}
            await in_thread(actions.record_seen, shown)

    async def _every(self, seconds: Callable[[], float], work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            await asyncio.sleep(seconds())
            try:
                await work()
            except Exception as error:
                # The databases or another context may be unavailable: the next run tries again.
                log.warning("sockets.round_failed", work=work.__name__, error=repr(error))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        # A router serves no particular request: its logs have no request context.
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.warning("sockets.task_failed", error=repr(error))


_Rendered = tuple[dict[int, str], access.UnreadCount]


class _News(NamedTuple):
    """What is delivered together: each person's number of unread notifications, including hidden ones; rendered
    notifications by id; and exact unread counts."""

    counted: dict[int, int]
    rendered: dict[int, _Rendered]
    unread: dict[int, access.UnreadCount]


def _render(user_id: int, ids: Iterable[int]) -> _Rendered:
    """The JSON bodies of those notifications that their owner may see, and the unread count after them."""
    rows = queries.notifications_by_id(user_id=user_id, ids=ids)
    bodies = presenters.notification_bodies(visibility=access.load_visibility(user_id=user_id, rows=rows), rows=rows)
    return {int(str(body["id"])): to_json(body).decode() for body in bodies}, access.unread_count(user_id=user_id)


_routers: "WeakKeyDictionary[asyncio.AbstractEventLoop, SocketRouter]" = WeakKeyDictionary()


async def running_router() -> SocketRouter:
    """The router of the running event loop, listening."""
    router = _routers.setdefault(asyncio.get_running_loop(), SocketRouter())
    await router.start()
    return router
