"""The hub of a process: which sockets are whose, and what becomes of the words that come from Redis."""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable
from contextvars import Context
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import msgspec
import structlog
from django.conf import settings

from apps.notifications import access, presenters, queries
from apps.notifications.actions.socket_messages import (
    FeedChanged,
    MarkedRead,
    NotificationChanged,
    NotificationsCreated,
    NotificationsRemoved,
    PostsChanged,
    SocketMessage,
    broadcast_channel,
    decode_socket_message,
    user_channel,
)
from apps.notifications.sockets.subscription import Subscription
from apps.notifications.sockets.threads import in_thread
from socialapp.contracts.revocations import Revocations
from socialapp.core.cache import redis_client, redis_errors
from socialapp.core.errors import Problem
from socialapp.core.json import to_json
from socialapp.core.principal import Principal
from socialapp.http.admission import REVOKED_KEY, remember_revoked
from socialapp.rpc.calls import client
from socialapp.telemetry import traces
from socialapp.telemetry.metrics import count_socket

log = structlog.get_logger()

_SUBSCRIBE_PATIENCE = 1.0
_PAGE = 100
# Ids are made before their transactions commit, and clocks differ: so far back a look for what was missed goes.
_OVERLAP = 10_000 << 16


class Socket(Protocol):
    """What the hub needs of a socket."""

    principal: Principal
    # Everything up to this id was there before the socket; everything after it is its business.
    since: int
    # The greatest id that it has been given.
    last: int

    def offer(self, notification_id: int, body: str, *, counted: int) -> None:
        """Sends a notification once; `counted` is the unread count with what may not be seen now."""

    def tell_unread(self, unread: access.UnreadCount, *, read: MarkedRead | None = None) -> None:
        """Sends a new unread count, because of `read` or of something else."""

    def end(self, code: int) -> None:
        """Closes the socket."""


class Hub:
    """One for each process (and event loop). All methods are called on that loop."""

    def __init__(self) -> None:
        self.origin = secrets.token_hex(8)
        self._sockets: dict[int, set[Socket]] = defaultdict(set)
        self._pending: dict[int, list[SocketMessage]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscription = Subscription(take=self._take, came_back=self._catch_up)
        self._started = False

    async def start(self) -> None:
        """Begins to listen, once."""
        if not self._started:
            self._started = True
            self._spawn(self._subscription.run())
            self._spawn(self._every(lambda: settings.SOCKET_REVOCATION_SECONDS, self._end_revoked))
            self._spawn(self._every(lambda: settings.SOCKET_RESYNC_SECONDS, self.look_for_missed))
            await self._subscription.follow(broadcast_channel(), patience=_SUBSCRIBE_PATIENCE)

    def sockets_of(self, user_id: int) -> set[Socket]:
        """The person's sockets in this process."""
        return self._sockets.get(user_id, set())

    async def add(self, socket: Socket) -> None:
        """Has the socket told of everything that is announced from now on."""
        self._sockets[socket.principal.id].add(socket)
        count_socket(1)
        await self._subscription.follow(user_channel(socket.principal.id), patience=_SUBSCRIBE_PATIENCE)

    async def discard(self, socket: Socket) -> None:
        """Forgets the socket. Idempotent."""
        mine = self._sockets.get(socket.principal.id)
        if mine is None or socket not in mine:
            return
        mine.discard(socket)
        count_socket(-1)
        if not mine:
            del self._sockets[socket.principal.id]
            await self._subscription.leave(user_channel(socket.principal.id))

    def read_here(self, user_id: int, up_to: int) -> None:
        """Tells the person's sockets in this process what was read through one of them: needs no Redis."""
        self._queue(user_id, MarkedRead(user_id, up_to, [], ""))

    async def _catch_up(self) -> None:
        """After Redis was away: what was made and what was read meanwhile."""
        await self.look_for_missed()
        for user_id in list(self._sockets):
            self._queue(user_id, NotificationsRemoved([user_id]))

    async def look_for_missed(self) -> None:
        """Gives every socket what the database has and it was not given: after Redis was away, and now and then."""
        users = list(self._sockets)
        if not users:
            return
        newest = await in_thread(queries.newest_ids, user_ids=users)
        for user_id in users:
            sockets = self.sockets_of(user_id)
            if sockets and newest.get(user_id, 0) > min(socket.last for socket in sockets):
                await self._give_missed(user_id)

    async def _give_missed(self, user_id: int) -> None:
        sockets = self.sockets_of(user_id)
        after = max(min(socket.last for socket in sockets) - _OVERLAP, min(socket.since for socket in sockets))
        while True:
            page = await in_thread(queries.notifications_between, user_id=user_id, after=after, limit=_PAGE)
            await self._give(user_id, [row.id for row in page], known_since=True)
            for socket in self.sockets_of(user_id):
                socket.last = max(socket.last, page[-1].id if page else 0)
            if len(page) < _PAGE:
                return
            after = page[-1].id

    # --- Words from Redis

    def _take(self, data: bytes) -> None:
        try:
            word = decode_socket_message(data)
        except msgspec.DecodeError:
            log.warning("sockets.unknown_word")
            return
        match word:
            case NotificationChanged() | MarkedRead():
                self._queue(word.user_id, word)
            case NotificationsCreated():
                self._spawn(self._give_many(word))
            case FeedChanged() | PostsChanged():
                pass
            case NotificationsRemoved():
                for user_id in word.user_ids:
                    self._queue(user_id, word)

    def _queue(self, user_id: int, word: SocketMessage) -> None:
        """Works on a person's words in order, and on those that have gathered meanwhile together."""
        is_ours = isinstance(word, MarkedRead) and word.origin == self.origin
        if is_ours or not self.sockets_of(user_id):
            return
        if user_id in self._pending:
            self._pending[user_id].append(word)
        else:
            self._pending[user_id] = [word]
            self._spawn(self._work(user_id))

    async def _work(self, user_id: int) -> None:
        try:
            while words := self._pending[user_id]:
                self._pending[user_id] = []
                await self._work_on(user_id, words)
        finally:
            del self._pending[user_id]

    async def _work_on(self, user_id: int, words: list[SocketMessage]) -> None:
        if told := [word for word in words if isinstance(word, NotificationChanged)]:
            since = traces.now()
            await self._give(user_id, [word.notification_id for word in told])
            for one in told:
                traces.record("push to sockets", traces.Kind.CONSUMER, parent=one.traceparent, since=since)
        others = [word for word in words if not isinstance(word, NotificationChanged)]
        if others:
            unread = await in_thread(access.unread_count, user_id=user_id)
            for word in others:
                for socket in list(self.sockets_of(user_id)):
                    socket.tell_unread(unread, read=word if isinstance(word, MarkedRead) else None)

    async def _give(self, user_id: int, ids: list[int], *, known_since: bool = False) -> None:
        """Offers notifications to the person's sockets; `known_since`: not what was there before the socket."""
        if not ids:
            return
        bodies, unread = await in_thread(_render, user_id, ids)
        for socket in list(self.sockets_of(user_id)):
            for notification_id, body in bodies:
                if not known_since or notification_id > socket.since:
                    socket.offer(notification_id, body, counted=unread.count + unread.hidden)

    async def _give_many(self, word: NotificationsCreated) -> None:
        here = [(user_id, notification_id) for user_id, notification_id in word.recipients if user_id in self._sockets]
        if not here:
            return
        since = traces.now()
        counted = await in_thread(queries.unread_counts, user_ids=[user_id for user_id, _ in here])
        fields = bytes(word.body).decode()[1:]
        for user_id, notification_id in here:
            body = f'{{"id":"{notification_id}",{fields}'
            for socket in list(self.sockets_of(user_id)):
                socket.offer(notification_id, body, counted=counted.get(user_id, 0))
        traces.record("push to sockets", traces.Kind.CONSUMER, parent=word.traceparent, since=since, people=len(here))

    # --- Sessions that have ended

    async def _end_revoked(self) -> None:
        sockets = [socket for mine in self._sockets.values() for socket in mine]
        if not sockets:
            return
        revoked = await in_thread(_revoked_among, {socket.principal for socket in sockets})
        for socket in sockets:
            if socket.principal in revoked:
                socket.end(4401)

    # --- Tasks

    async def _every(self, seconds: Callable[[], float], work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            await asyncio.sleep(seconds())
            try:
                await work()
            except Exception as error:
                # The databases or another context may be away for a while: the next round comes by itself.
                log.warning("sockets.round_failed", work=work.__name__, error=repr(error))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        # What a hub does, it does for nobody's request in particular: nothing is bound to its logs.
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.warning("sockets.task_failed", error=repr(error))


def _render(user_id: int, ids: Iterable[int]) -> tuple[list[tuple[int, str]], access.UnreadCount]:
    """The bodies of those notifications that their owner may see, as JSON, and the unread count after them."""
    rows = queries.notifications_by_id(user_id=user_id, ids=ids)
    bodies = presenters.notification_bodies(access.load_visibility(user_id=user_id, rows=rows), rows)
    return [(int(str(body["id"])), to_json(body).decode()) for body in bodies], access.unread_count(user_id=user_id)


def _revoked_among(principals: Iterable[Principal]) -> set[Principal]:
    """Whose session or account has ended. One round trip; auth is asked when Redis has forgotten."""
    people = list(principals)
    wanted = [member for person in people for member in (f"user:{person.id}", f"session:{person.session}")]
    try:
        found = redis_client().smismember(f"{settings.REDIS_PREFIX}{REVOKED_KEY}", ["complete", *wanted])
    except redis_errors():
        found = [0]
    named = {member for member, is_in in zip(wanted, found[1:], strict=False) if is_in}
    gone = named if found[0] else _ask_auth()
    return {person for person in people if f"user:{person.id}" in gone or f"session:{person.session}" in gone}


def _ask_auth() -> set[str]:
    try:
        recent = client(Revocations).recent()
    except Problem as problem:
        log.warning("sockets.revocations_unknown", code=problem.code)
        return set()
    members = {*(f"user:{user}" for user in recent.users), *(f"session:{session}" for session in recent.sessions)}
    try:
        remember_revoked(sorted(members), complete=True)
    except redis_errors():
        log.info("sockets.revocations_not_kept")
    return members


_hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


async def running_hub() -> Hub:
    """The hub of the running event loop, listening."""
    hub = _hubs.setdefault(asyncio.get_running_loop(), Hub())
    await hub.start()
    return hub
