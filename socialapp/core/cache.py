"""Redis: one bounded client a process, and a breaker so that a Redis that hangs costs no request its time."""

import os
import threading
import time
from typing import Any

import redis
from django.conf import settings

_clients: dict[str, "redis.Redis"] = {}
_lock = threading.Lock()
_OPEN_SECONDS = 1.0


class _BreakingConnection(redis.Connection):
    """Fails at once for a second after a time-out or refusal, instead of making every caller wait again."""

    open_until = 0.0

    def connect(self) -> None:
        self._guard()
        try:
            super().connect()  # type: ignore[no-untyped-call]
        except redis_errors():
            self._trip()
            raise

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().read_response(*args, **kwargs)
        except redis.exceptions.TimeoutError:
            if not kwargs.get("timeout"):
                self._trip()
            raise

    @classmethod
    def _guard(cls) -> None:
        if time.monotonic() < cls.open_until:
            raise redis.exceptions.ConnectionError("Redis did not answer a moment ago")

    @classmethod
    def _trip(cls) -> None:
        _BreakingConnection.open_until = time.monotonic() + _OPEN_SECONDS


def redis_client() -> "redis.Redis":
    """The client of `REDIS_URL`; raises one of `redis_errors()` within `REDIS_TIMEOUT` seconds when it is down."""
    url = settings.REDIS_URL
    client = _clients.get(url)
    if client is None:
        with _lock:
            pool = redis.ConnectionPool.from_url(
                url,
                connection_class=_BreakingConnection,
                socket_timeout=settings.REDIS_TIMEOUT,
                socket_connect_timeout=settings.REDIS_TIMEOUT,
                max_connections=64,
            )
            client = _clients.setdefault(url, redis.Redis(connection_pool=pool))
    return client


def redis_errors() -> tuple[type[Exception], ...]:
    """What a caller that can do without Redis catches."""
    return (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, redis.exceptions.BusyLoadingError)


def _forget_after_fork() -> None:
    _clients.clear()


os.register_at_fork(after_in_child=_forget_after_fork)
