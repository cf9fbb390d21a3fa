"""Time-sortable 64-bit ids: milliseconds since 1970 `<< 16` | node `<< 6` | sequence (after Twitter's Snowflake)."""

import os
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.core.exceptions import ImproperlyConfigured

NODE_BITS = 10
SEQUENCE_BITS = 6
NODES = 1 << NODE_BITS
MAX_ID = (1 << 63) - 1

_SHIFT = NODE_BITS + SEQUENCE_BITS
_SEQUENCES = 1 << SEQUENCE_BITS
_MAX_DIGITS = len(str(MAX_ID))


def id_of(text: str, *, name: str) -> int:
    """The id in a record's field `name`; ValueError if it is not one."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and 0 < int(text) <= MAX_ID):
        raise ValueError(f"{name} must be a string of decimal digits within 64 bits")
    return int(text)


def _clock_ms() -> int:
    return time.time_ns() // 1_000_000


class IdGenerator:
    """Generates ids that increase within a process; thread-safe. If the clock is set back, it keeps counting
    upwards."""

    def __init__(self, *, node: Callable[[], int], clock: Callable[[], int] = _clock_ms) -> None:
        self._node = node
        self._clock = clock
        self._lock = threading.Lock()
        self._last_ms = 0
        self._sequence = 0

    def next(self) -> int:
        """A new id; at most 64 per millisecond, after which callers wait for the next one."""
        with self._lock:
            now = max(self._clock(), self._last_ms)
            if now == self._last_ms and self._sequence == _SEQUENCES - 1:
                now = self._next_ms()
            self._sequence = self._sequence + 1 if now == self._last_ms else 0
            self._last_ms = now
            return (now << _SHIFT) | (self._node() << SEQUENCE_BITS) | self._sequence

    def _next_ms(self) -> int:
        """Waits for the next millisecond, but not for a clock that was set back, which may take hours."""
        while (now := self._clock()) == self._last_ms:
            time.sleep(0.0002)
        return max(now, self._last_ms + 1)


_LEASE_SECONDS = 3600
_RENEW_SECONDS = 60  # often, as an emptied Redis has lost the leases
_lease_lock = threading.Lock()
_lease: dict[str, float] = {}


def _node_number() -> int:
    """`NODE_ID`, or a number leased in Redis for an hour and renewed every minute."""
    now = time.monotonic()
    if _lease.get("pid") == os.getpid() and now < _lease["renew_at"]:
        return int(_lease["node"])
    with _lease_lock:
        held = int(_lease["node"]) if _lease.get("pid") == os.getpid() else None
        node = _lease_node(held)
        _lease.update(pid=os.getpid(), node=node, renew_at=now + _RENEW_SECONDS)
        return node


def _configured_node(value: str) -> int:
    if not (value.isascii() and value.isdigit() and int(value) < NODES):
        raise ImproperlyConfigured(f"NODE_ID must be 0 to {NODES - 1}, not {value!r}")
    return int(value)


def _lease_node(held: int | None) -> int:
    if configured := os.environ.get("NODE_ID"):
        return _configured_node(configured)
    from socialapp.core.cache import redis_client, redis_errors

    owner = f"{os.uname().nodename}:{os.getpid()}"
    start = held if held is not None else random.SystemRandom().randrange(NODES)
    try:
        client = redis_client()
        for offset in range(NODES):
            node = (start + offset) % NODES
            key = f"ids:node:{node}"
            if client.set(key, owner, nx=True, ex=_LEASE_SECONDS) or client.get(key) == owner.encode():
                client.expire(key, _LEASE_SECONDS)
                return node
    except redis_errors():
        pass
    # Without Redis a random number must do: the primary key detects a clash, and the transaction is retried.
    return start


_generator = IdGenerator(node=_node_number)


def new_id() -> int:
    """A new id, unique over all contexts."""
    return _generator.next()


def id_time(value: int) -> datetime:
    """When the id was generated, UTC, to the millisecond."""
    return datetime.fromtimestamp((value >> _SHIFT) / 1000, tz=UTC)


def first_id_at(moment: datetime) -> int:
    """The smallest possible id of `moment`: a bound for time ranges over ids."""
    return int(moment.timestamp() * 1000) << _SHIFT


def _forget_after_fork() -> None:
    # A forked child needs its own node number, and a lock that no thread of the parent holds.
    global _generator, _lease_lock
    _lease_lock = threading.Lock()
    _lease.clear()
    _generator = IdGenerator(node=_node_number)


os.register_at_fork(after_in_child=_forget_after_fork)
