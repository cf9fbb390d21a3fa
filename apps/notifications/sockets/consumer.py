"""The WebSocket consumer: authentication, messages of the client, and protection against slow clients.

Documented for clients in docs/asyncapi-socket.yaml.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import jwt
import msgspec
import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host
from django.utils import timezone

from apps.notifications import access, actions, presenters, queries
from apps.notifications.actions import MarkedRead
from apps.notifications.sockets.router import SocketRouter, running_router
from apps.notifications.sockets.threads import in_thread
from apps.notifications.sockets.watching import MAX_WATCHED_POSTS
from apps.notifications.sockets.writer import Writer
from socialapp.core.errors import Problem, TooMany, Unauthenticated
from socialapp.core.ids import MAX_ID, first_id_at
from socialapp.core.json import to_json
from socialapp.core.principal import Principal
from socialapp.core.replicas import pin
from socialapp.http.admission import admit, client_address
from socialapp.http.middleware import correlation_of
from socialapp.http.tokens import principal_of

log = structlog.get_logger()

BAD_TOKEN = 4401
TOO_SLOW = 4408
TOO_MANY = 4429
TOO_LARGE = 1009
TRY_LATER = 1013

_BATCH = 100
_COMMITTED_WITHIN = timedelta(seconds=10)
_REMEMBERED = 1000
_MAX_TOKEN = 4096
_REFUSALS = 20
_MINUTE = 60.0

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]


class BadMessage(Exception):
    """An invalid message of the client, to be answered with an error."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class NotificationsConsumer(AsyncWebsocketConsumer):
    """Pushes a person's notifications to one client; a slow client is disconnected."""

    principal: Principal
    router: SocketRouter
    writer: Writer
    expires: float

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.since = self.last = 0
        self._covered_from = 0
        self._hidden = self._unread = 0
        self._given: set[int] = set()
        self._given_before: set[int] | frozenset[int] = frozenset()
        self._known = _KnownWhenOpened(newest=0, settled=0, recent=frozenset())
        self._held: list[tuple[int, str, int]] | None = []
        self._closing: asyncio.Task[None] | None = None
        self._ending = False
        self._added = False
        self._allowance = float(settings.SOCKET_MESSAGES)
        self._allowed_at = self._opened_at = time.monotonic()
        self._refusals = 0

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Any) -> None:
        """Handles the client's messages in a single task; Channels' own starts one more per message.

        Channels' own also waits for messages to a channel of its own; here the router listens to the channel layer for
        all sockets of the process.
        """
        self.scope, self.base_send = scope, send
        self.writer = Writer(scope, send=self.send, give_up=self._give_up)
        try:
            while (message := await receive())["type"] != "websocket.disconnect":
                if message["type"] == "websocket.connect":
                    await self.connect()
                else:
                    await self.receive(message.get("text"), message.get("bytes"))
            await self.disconnect(message["code"])
        finally:
            self._ending = True
            self.writer.stop()
            if self._closing:
                self._closing.cancel()
            await self._leave()

    # --- Opening and closing

    async def connect(self) -> None:
        """Refuses foreign origins before the handshake; bad tokens after it, so that the client receives the close
        code."""
        headers = {name: value.decode("latin-1") for name, value in self.scope["headers"]}
        correlation = correlation_of(headers.get(b"x-request-id", ""), traceparent=headers.get(b"traceparent", ""))
        structlog.contextvars.bind_contextvars(**correlation)
        if not _is_known_origin(self.scope):
            await self.close()  # type: ignore[no-untyped-call]
            return
        offered: list[str] = self.scope.get("subprotocols", [])
        chosen = "bearer" if "bearer" in offered else None
        await self.accept(subprotocol=chosen)  # type: ignore[no-untyped-call]
        token = offered[1] if len(offered) == 2 and offered[0] == "bearer" else ""
        self._address = _address(self.scope)
        # A kilobyte and more for as long as the socket is open, including the token.
        self.scope["headers"].clear()
        offered.clear()
        code = await self._enter(token)
        if code is not None:
            self.end(code)

    async def _enter(self, token: str) -> int | None:
        """Authenticates, joins the hub and sends `ready`; returns the code to close with on failure."""
        try:
            self.principal, self.expires = await self._check(token)
        except TooMany:
            return TOO_MANY
        except Unauthenticated:
            return BAD_TOKEN
        except Problem:
            return TRY_LATER
        self.router = await running_router()
        if len(self.router.sockets_of(self.principal.id)) >= settings.SOCKETS_PER_USER:
            return TOO_MANY
        self._added = True
        await self.router.add(self)
        try:
            self._known, unread = await in_thread(_state, self.principal.id)
        except Problem as problem:
            log.warning("sockets.not_ready", code=problem.code)
            return TRY_LATER
        self._hidden, self._unread = unread.hidden, unread.count
        self.since = self._covered_from = self._known.newest
        self.last = max(self.last, self.since)
        self._put({"type": "ready", "unread": unread.count, "cursor": str(self.since)})
        await self._release_held()
        return None

    async def _check(self, token: str) -> tuple[Principal, float]:
        """The principal of the token, and when it expires."""
        if not token or len(token) > _MAX_TOKEN:
            raise Unauthenticated("a token is needed")
        return await in_thread(_admitted, token, self._address)

    def end(self, code: int) -> None:
        """Closes the socket and drops unsent messages."""
        if not self._ending:
            self._ending = True
            self._closing = asyncio.get_running_loop().create_task(self._close_with(code))

    def _give_up(self) -> None:
        self.end(TOO_SLOW)

    async def _close_with(self, code: int) -> None:
        self.writer.stop()
        await self._leave()
        try:
            # Waits until the client reads on, or the server's keep-alive closes the connection.
            await self.close(code=code)  # type: ignore[no-untyped-call]
        except Exception as error:
            log.info("sockets.close_failed", code=code, error=repr(error))

    async def _leave(self) -> None:
        if self._added:
            self._added = False
            await self.router.discard(self)

    async def disconnect(self, code: int) -> None:
        """Logs the connection like a request."""
        log.info("socket", path=self.scope["path"], code=code, seconds=round(time.monotonic() - self._opened_at, 1))

    # --- Sending

    def offer(self, notification_id: int, body: str, *, counted: int) -> None:
        """Sends a notification once, unless it existed before the socket; while missed ones are sent, it is queued."""
        if self._ending or notification_id in self._known or self._was_sent(notification_id):
            return
        if self._held is not None:
            self._held.append((notification_id, body, counted))
            if len(self._held) > settings.SOCKET_QUEUE:
                self.end(TOO_SLOW)
            return
        self.writer.put(self._noted(notification_id, body, max(counted - self._hidden, 0)))

    async def _give_in_turn(self, notification_id: int, body: str, unread: int) -> None:
        """Sends one of many in order; TimeoutError if the client does not read."""
        if not self._was_sent(notification_id) and not self._ending:
            await self.writer.put_in_turn(self._noted(notification_id, body, unread))

    def _was_sent(self, notification_id: int) -> bool:
        return notification_id in self._given or notification_id in self._given_before

    def _noted(self, notification_id: int, body: str, unread: int) -> str:
        """The message, recorded as sent."""
        if len(self._given) >= _REMEMBERED:
            self._given_before, self._given = self._given, set()
        self._given.add(notification_id)
        self.last = max(self.last, notification_id)
        self._unread = unread
        return f'{{"type":"notification","notification":{body},"unread":{unread}}}'

    async def _release_held(self) -> None:
        try:
            while self._held:
                notification_id, body, counted = self._held.pop(0)
                if notification_id in self._known:
                    continue
                await self._give_in_turn(notification_id, body, max(counted - self._hidden, 0))
        except TimeoutError:
            self.end(TOO_SLOW)
        self._held = None

    def show_unread(self, unread: access.UnreadCount, *, read: MarkedRead | None = None) -> None:
        """Sends a new unread count, and what was read if that is why."""
        shown = self._unread
        self._hidden, self._unread = unread.hidden, unread.count
        if read is None:
            if shown != unread.count:
                self._put({"type": "unread", "unread": unread.count})
        elif read.up_to is not None:
            self._put({"type": "read", "up_to": str(read.up_to), "unread": unread.count})
        else:
            ids = [str(value) for value in read.ids]
            self._put({"type": "read", "up_to": None, "ids": ids, "unread": unread.count})

    def show(self, message: Message) -> None:
        """Sends a message about an open page; dropped for slow clients, as the next one supersedes it."""
        if not self.writer.is_behind:
            self._put(message)

    def _put(self, message: Message) -> None:
        if not self._ending:
            self.writer.put(to_json(message).decode())

    # --- Receiving

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Handles a message, or answers with an error."""
        if self._ending:
            return
        if _size(text_data, bytes_data) > settings.SOCKET_MESSAGE_BYTES:
            self.end(TOO_LARGE)
            return
        try:
            self._spend_allowance()
            await self._do(_parse(text_data))
        except BadMessage as error:
            self._put({"type": "error", "code": error.code, "detail": error.detail})
        except Problem as problem:
            self._put({"type": "error", "code": problem.code, "detail": problem.detail})

    def _spend_allowance(self) -> None:
        """A token bucket, in messages per minute."""
        if not settings.RATE_LIMITS:
            return
        now = time.monotonic()
        refill = (now - self._allowed_at) * settings.SOCKET_MESSAGES / _MINUTE
        self._allowance = min(self._allowance + refill, float(settings.SOCKET_MESSAGES))
        self._allowed_at = now
        if self._allowance < 1:
            self._refusals += 1
            if self._refusals > _REFUSALS:
                self.end(TOO_MANY)
            raise BadMessage("rate_limited", "too many messages; slow down")
        self._allowance -= 1

    async def _do(self, message: Message) -> None:
        match message["type"]:
            case "ping":
                self._put({"type": "pong"})
            case "read":
                await self._read(_id_in(message, "up_to"))
            case "resume":
                await self._resume(_id_in(message, "after"))
            case "watch":
                self._watch(message)
            case "token":
                await self._renew(message.get("access"))
            case _:
                raise BadMessage("unknown_type", "type must be resume, read, watch, token or ping")

    async def _read(self, up_to: int) -> None:
        user_id = self.principal.id
        await in_thread(actions.mark_read_up_to, user_id=user_id, up_to=up_to, origin=self.router.origin)
        await in_thread(pin, user_id)
        self.router.read_here(user_id, up_to)

    def _watch(self, message: Message) -> None:
        """Records what the client's page shows; without feed and posts, nothing."""
        feed, posts = message.get("feed", False), message.get("posts", [])
        if not isinstance(feed, bool):
            raise BadMessage("invalid", "feed must be true or false")
        if not isinstance(posts, list) or len(posts) > MAX_WATCHED_POSTS:
            raise BadMessage("invalid", f"posts must be a list of at most {MAX_WATCHED_POSTS} ids")
        ids = [_id_of(value, "each of posts") for value in posts]
        self.router.watchers.watch(self, feed=feed, post_ids=ids)

    async def _renew(self, access: object) -> None:
        try:
            principal, expires = await self._check(access if isinstance(access, str) else "")
        except Unauthenticated:
            self.end(BAD_TOKEN)
            return
        if principal.id != self.principal.id:
            self.end(BAD_TOKEN)
            return
        self.principal, self.expires = principal, expires

    async def _resume(self, after: int) -> None:
        """Sends what is newer than `after` and older than this socket; newer ones are pushed anyway."""
        reached, up_to = after, self._covered_from
        self._held = []
        try:
            while reached < up_to and not self._ending:
                found = await in_thread(_missed, self.principal.id, reached, up_to)
                for notification_id, body in found.bodies:
                    await self._give_in_turn(notification_id, body, found.unread.count)
                reached = found.last
            self._covered_from = min(up_to, after)
        except TimeoutError:
            self.end(TOO_SLOW)
        finally:
            await self._release_held()


def _admitted(token: str, address: str) -> tuple[Principal, float]:
    """The principal of the token, and when it expires. May call auth, for a key that is new."""
    try:
        principal, expires = principal_of(token)
    except (jwt.InvalidTokenError, UnicodeError, ValueError):
        raise Unauthenticated("the access token is not valid") from None
    admit(principal=principal, address=address, rate="read")
    return principal, expires


class _KnownWhenOpened(NamedTuple):
    """Which notifications existed when a socket was opened: messages about these are outdated.

    The client may have received them over an earlier connection. Ids are created before their transactions commit, so
    an id below `newest` may still be new, but not one up to `settled`.
    """

    newest: int
    settled: int
    recent: frozenset[int]

    def __contains__(self, notification_id: object) -> bool:
        return isinstance(notification_id, int) and (notification_id <= self.settled or notification_id in self.recent)


class _Missed(msgspec.Struct):
    """A page of missed notifications: the visible bodies, where the page ends, and the unread count."""

    bodies: list[tuple[int, str]]
    last: int
    unread: access.UnreadCount


def _missed(user_id: int, after: int, up_to: int) -> _Missed:
    rows = queries.notifications_between(user_id=user_id, after=after, up_to=up_to, limit=_BATCH)
    bodies = presenters.notification_bodies(visibility=access.load_visibility(user_id=user_id, rows=rows), rows=rows)
    return _Missed(
        [(int(str(body["id"])), to_json(body).decode()) for body in bodies],
        rows[-1].id if len(rows) == _BATCH else up_to,
        access.unread_count(user_id=user_id),
    )


def _state(user_id: int) -> tuple[_KnownWhenOpened, access.UnreadCount]:
    """Which notifications exist, and the unread count."""
    ids = queries.last_ids(user_id=user_id, limit=_BATCH)
    settled = first_id_at(timezone.now() - _COMMITTED_WITHIN)
    if len(ids) == _BATCH:
        settled = max(settled, ids[-1])
    recent = frozenset(found for found in ids if found > settled)
    return _KnownWhenOpened(ids[0] if ids else 0, settled, recent), access.unread_count(user_id=user_id)


def _is_known_origin(scope: dict[str, Any]) -> bool:
    """Whether the origin of the page is allowed. Clients other than browsers send no Origin.

    Also our own host under another of its names: a page on localhost that connects to localhost.
    """
    sent = _header(scope, b"origin").rstrip("/")
    return not sent or sent in settings.ALLOWED_ORIGINS or sent == _own_origin(scope)


def _own_origin(scope: dict[str, Any]) -> str | None:
    """The origin of the request's host, if that is one of our names: pages cannot forge this header."""
    host = _header(scope, b"host")
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return None
    return f"{urlsplit(settings.PUBLIC_URL).scheme}://{host}"


def _header(scope: dict[str, Any], wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


def _address(scope: dict[str, Any]) -> str:
    """The client's address, determined as for REST."""
    request = HttpRequest()
    forwarded = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    request.META["HTTP_X_FORWARDED_FOR"] = ", ".join(forwarded)
    request.META["REMOTE_ADDR"] = str((scope.get("client") or [""])[0])
    return client_address(request)


def _size(text: str | None, data: bytes | None) -> int:
    """The size of a message in bytes, as sent."""
    return len(text.encode()) if text is not None else len(data or b"")


def _parse(text: str | None) -> Message:
    try:
        message = msgspec.json.decode(text or "", type=Message)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise BadMessage("malformed", "a message is a JSON object in text") from None
    if not isinstance(message.get("type"), str):
        raise BadMessage("malformed", "a message has a type")
    return message


def _id_in(message: Message, name: str) -> int:
    return _id_of(message.get(name), name)


def _id_of(value: object, name: str) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19 and int(value) <= MAX_ID:
        return int(value)
    raise BadMessage("invalid", f"{name} must be an id: a string of decimal digits")
