"""Hints: Redis commands that report a committed change to sockets, relays and caches. If Redis is down they are lost,
unless their sender repeats them."""

from collections.abc import Callable
from typing import Any

import redis
import structlog
from django.db import connections

from socialapp.core.cache import Command, round_trip
from socialapp.core.db import after_commit

log = structlog.get_logger()


class _Hints:
    """Commands of one transaction: a callback for Django, which discards it when their savepoint is rolled back."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.if_lost: list[Callable[[], object]] = []

    def __call__(self) -> None:
        try:
            round_trip(*self.commands)
        except redis.RedisError as error:
            log.warning("redis.hints_lost", error=str(error))
            for repeat in self.if_lost:
                repeat()


def send_after_commit(context: str, *commands: Command, if_lost: Callable[[], object] | None = None) -> None:
    """Sends commands once the open transaction on `context` has committed, in one round trip with those registered
    just before; immediately if there is none. They must be idempotent. `if_lost` is called if Redis does not accept
    them."""
    hints = _open_hints(context)
    is_new = hints is None
    hints = hints or _Hints()
    hints.commands += commands
    if if_lost:
        hints.if_lost.append(if_lost)
    if is_new:
        after_commit(context, callback=hints)


def _open_hints(context: str) -> _Hints | None:
    """Those registered last, if they belong to the same savepoint."""
    connection: Any = connections[context]
    savepoints, callback, _ = connection.run_on_commit[-1] if connection.run_on_commit else (set(), None, False)
    # None stands for a block without a savepoint, which is rolled back with what is around it.
    is_same = savepoints - {None} == {*connection.savepoint_ids} - {None}
    return callback if isinstance(callback, _Hints) and is_same else None
