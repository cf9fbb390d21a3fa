"""Redis: one client per process with timeouts, and a breaker so that a hanging Redis costs requests no time."""

import hashlib
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType
from typing import Any

import redis
from django.conf import settings

Command = Sequence[str | int | bytes]

_clients: dict[str, "redis.Redis"] = {}
_own = threading.local()
_lock = threading.Lock()
_OPEN_SECONDS = 1.0


class _BreakingConnection(redis.Connection):
    """Fails immediately for a second after a timeout or refusal, instead of making every caller wait again."""

    open_until = 0.0
    was_open = False

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
    """The client of `REDIS_URL`; raises one of `redis_errors()` within `REDIS_TIMEOUT` seconds if it is down."""
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


def round_trip(*commands: Command) -> list[Any]:
    """The answers to pipelined commands, over a connection of this thread.

    For hot, idempotent commands, which are sent twice if the connection turns out to be closed: the client's pool,
    retries and events take several times as long as Redis does. Raises the same errors as the client.
    """
    if type(redis.Redis.execute_command) is not FunctionType:  # wrapped by OpenTelemetry, which looks like a function
        pipeline = redis_client().pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
        return pipeline.execute()
    connection = _own_connection()
    try:
        answers = _exchange(connection, commands)
    except redis.exceptions.ConnectionError:
        if not connection.was_open:
            raise
        answers = _exchange(connection, commands)
    for answer in answers:
        if isinstance(answer, redis.exceptions.ResponseError):
            raise answer
    return answers


def _exchange(connection: _BreakingConnection, commands: Sequence[Command]) -> list[Any]:
    connection.was_open = connection.is_connected
    connection.send_packed_command(connection.pack_commands(commands))  # type: ignore[no-untyped-call]
    return [_answer(connection) for _ in commands]


def _answer(connection: _BreakingConnection) -> Any:
    """One answer; errors are answers too, so that those to the next commands are read."""
    try:
        return connection.read_response()
    except redis.exceptions.ResponseError as error:
        return error


def _own_connection() -> _BreakingConnection:
    url = settings.REDIS_URL
    connection: _BreakingConnection | None = _own.__dict__.get(url)
    if connection is None:
        pool = redis_client().connection_pool
        connection = _own.__dict__[url] = _BreakingConnection(**pool.connection_kwargs)  # type: ignore[no-untyped-call]
    return connection


@dataclass(frozen=True)
class Script:
    """A Lua script, sent by its digest once Redis knows it."""

    text: str

    @cached_property
    def _digest(self) -> str:
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    def run(self, *, keys: Sequence[str], arguments: Command) -> Any:
        """The result of the script. One round trip, two if Redis has forgotten it; it may run twice."""
        return self.run_with((), keys=keys, arguments=arguments)[0]

    def run_with(self, commands: Sequence[Command], *, keys: Sequence[str], arguments: Command) -> list[Any]:
        """The result of the script, followed by the answers to commands, pipelined."""
        call = (len(keys), *keys, *arguments)
        try:
            return round_trip(("EVALSHA", self._digest, *call), *commands)
        except redis.exceptions.NoScriptError:
            return round_trip(("EVAL", self.text, *call), *commands)

    def command(self, *, keys: Sequence[str], arguments: Command) -> Command:
        """The script as one command among others, whether or not Redis knows it."""
        return ("EVAL", self.text, len(keys), *keys, *arguments)


def redis_errors() -> tuple[type[Exception], ...]:
    """The exceptions to catch where Redis is optional."""
    return (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, redis.exceptions.BusyLoadingError)


def _forget_after_fork() -> None:
    global _own
    _clients.clear()
    _own = threading.local()


os.register_at_fork(after_in_child=_forget_after_fork)
