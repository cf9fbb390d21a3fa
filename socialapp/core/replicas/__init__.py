"""Read replicas: which reads they may serve, and which users must read their own writes from the primary.

Only reads of the API (GET under /v1/) may be served by a replica, and only if the caller has not written within the
last seconds, so that they see what they wrote. Everything else uses the primary: writes and the reads before them,
transactions, handlers, tasks, sockets, commands, and reads whose result is stored (`up_to_date`). Replicas that are
down or too far behind are skipped.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import Error, connections
from django.http import HttpRequest, HttpResponse

from socialapp.core.cache import redis_client, redis_errors
from socialapp.core.db import open_transactions
from socialapp.core.ids import id_time
from socialapp.core.principal import Principal

log = structlog.get_logger()

# Sent with calls between contexts: the calling request may be served by replicas; the value spreads calls over them.
LAG_HEADER = "X-Reads-May-Lag"
_LAG_META = "HTTP_X_READS_MAY_LAG"
_SAFE = frozenset({"GET", "HEAD"})
_LOOK_EVERY_SECONDS = 1.0
_DOWN_SECONDS = 5.0
# The time of the last write is unknown: pins in Redis may have been lost with it.
_SINCE_KEY = "replicas:since"


@dataclass(slots=True)
class _Reading:
    """The databases that one request reads from: the same replica per context throughout, so that time never goes
    backwards."""

    request: HttpRequest
    spread: int | None = None
    may_lag: bool | None = None
    chosen: dict[str, str] = field(default_factory=dict)


_reading: ContextVar[_Reading | None] = ContextVar("reading_from_replicas", default=None)


def alias_for_reading(context: str) -> str:
    """The database alias for a read of `context` now: one of its replicas, or the primary."""
    replicas = settings.REPLICAS.get(context)
    if not replicas or open_transactions() or connections[context].in_atomic_block:
        return context
    reading = _reading.get()
    if reading is None or not _may_lag(reading):
        return context
    chosen = reading.chosen.get(context)
    if chosen is None or (chosen != context and not _health.is_usable(chosen)):
        usable = [alias for alias in replicas if _health.is_usable(alias)]
        chosen = reading.chosen[context] = usable[(reading.spread or 0) % len(usable)] if usable else context
    return chosen


@contextmanager
def up_to_date() -> Iterator[None]:
    """Makes reads inside use the primary: for results that are stored, such as in a cache, where a lag would
    persist."""
    token = _reading.set(None)
    try:
        yield
    finally:
        _reading.reset(token)


def lag_headers() -> dict[str, str]:
    """The headers that allow a call to another context to be served by replicas there; usually none."""
    reading = _reading.get()
    return {LAG_HEADER: str(reading.spread or 0)} if reading is not None and _may_lag(reading) else {}


def _may_lag(reading: _Reading) -> bool:
    """Decided once, at the first read, when the request has been authenticated."""
    if reading.may_lag is None:
        # only what DRF has put there: Django's lazy user would read the session
        user = reading.request.__dict__.get("user")
        principal = user if type(user) is Principal else None
        if reading.spread is None:
            reading.spread = principal.id >> 16 if principal else secrets.randbelow(1 << 16)
        reading.may_lag = principal is None or not _has_just_written(principal)
    return reading.may_lag


def _has_just_written(principal: Principal) -> bool:
    horizon = datetime.now(UTC) - timedelta(seconds=settings.REPLICA_PIN_SECONDS)
    # Registering and signing in are writes of the user too, although their requests had no caller yet.
    return id_time(max(principal.id, principal.session)) > horizon or _pins.holds(principal.id)


def pin(user_id: int) -> None:
    """Makes the user read from the primary until every replica in use has what they have just written."""
    if settings.REPLICAS:
        _pins.add(user_id)


class _Pins:
    """The users who wrote a moment ago, in Redis. Without Redis, and for a while after it was lost, that is
    everybody."""

    def __init__(self) -> None:
        self._unknown_until = 0.0

    def add(self, user_id: int) -> None:
        """Records a write; if it cannot be recorded, this process reads from the primary for everybody."""
        try:
            redis_client().set(self._key(user_id), 1, px=int(settings.REPLICA_PIN_SECONDS * 1000))
        except redis_errors():
            self._unknown_until = time.monotonic() + settings.REPLICA_PIN_SECONDS

    def holds(self, user_id: int) -> bool:
        """Whether the user must read from the primary. One round trip."""
        if time.monotonic() < self._unknown_until:
            return True
        since_key = f"{settings.REDIS_PREFIX}{_SINCE_KEY}"
        try:
            pinned, since = redis_client().mget(self._key(user_id), since_key)
            if since is None:
                redis_client().set(since_key, repr(time.time()), nx=True)
                return True
        except redis_errors():
            return True
        return pinned is not None or abs(time.time() - float(since)) < settings.REPLICA_PIN_SECONDS

    def _key(self, user_id: int) -> str:
        return f"{settings.REDIS_PREFIX}replicas:pin:{user_id}"


_pins = _Pins()


@dataclass(frozen=True, slots=True)
class _State:
    usable: bool
    look_at: float


class _Health:
    """Which replicas respond and are up to date, as this process knows; checked once a second by the first thread that
    asks.

    Checked per server, so that one that hangs delays only one check, not one for each context that has a replica there.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[tuple[str, str], _State] = {}

    def is_usable(self, alias: str) -> bool:
        """Whether to read from it. Checks the replica if the last result is too old."""
        now, server = time.monotonic(), _server_of(alias)
        with self._lock:
            state = self._states.get(server)
            if state is not None and now < state.look_at:
                return state.usable
            # Other threads use the last result while this one checks; a replica that was down stays out meanwhile.
            self._states[server] = _State(state is not None and state.usable, now + _DOWN_SECONDS)
        trouble = replica_problem(alias)
        if trouble:
            log.warning("replicas.passed_over", alias=alias, why=trouble)
        self._note(alias, usable=not trouble)
        return not trouble

    def mark_down(self, alias: str) -> None:
        """Skips a replica for some seconds."""
        self._note(alias, usable=False)

    def _note(self, alias: str, *, usable: bool) -> None:
        with self._lock:
            look_at = time.monotonic() + (_LOOK_EVERY_SECONDS if usable else _DOWN_SECONDS)
            self._states[_server_of(alias)] = _State(usable, look_at)


def _server_of(alias: str) -> tuple[str, str]:
    config = settings.DATABASES[alias]
    return str(config["HOST"]), str(config["PORT"])


_health = _Health()


def mark_down(alias: str) -> None:
    """Called when a replica failed in use: it is skipped for some seconds."""
    log.warning("replicas.failed_in_use", alias=alias)
    _health.mark_down(alias)


def lag_of(alias: str) -> float | None:
    """Seconds that a replica is behind, as it reports; None if it does not respond or does not replicate."""
    connection: Any = connections[alias]
    try:
        lag: float | None = connection.lag_seconds()
    except Error:
        return None
    return lag


def replica_problem(alias: str) -> str:
    """Why a replica must not be read from, as it reports; empty if it may be."""
    connection: Any = connections[alias]
    try:
        lag: float | None = connection.lag_seconds()
    except Error as error:
        return f"it does not answer: {error}"
    if lag is None:
        return "it does not replicate"
    return "" if lag <= settings.REPLICA_MAX_LAG_SECONDS else f"it is {lag:.0f} seconds behind"


class ReplicaReads:
    """Middleware: lets reads of the public API use replicas, and pins users who write to the primary."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.REPLICAS:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _reading.set(_reading_of(request))
        try:
            response = self.get_response(request)
        finally:
            _reading.reset(token)
        # A rejected request wrote nothing; a server error may have come after the commit.
        if request.method not in _SAFE and not 400 <= response.status_code < 500:
            user = request.__dict__.get("user")
            if type(user) is Principal:
                pin(user.id)
        return response


def _reading_of(request: HttpRequest) -> _Reading | None:
    if request.path_info.startswith("/v1/"):
        return _Reading(request) if request.method in _SAFE else None
    spread = request.META.get(_LAG_META, "")
    if request.path_info.startswith("/internal/") and spread.isascii() and spread.isdigit():
        return _Reading(request, spread=int(spread), may_lag=True)
    return None
