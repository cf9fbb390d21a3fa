"""Hints: Redis commands that report a committed change to sockets and relays. If Redis is down they are lost."""

from typing import Any

import redis
import structlog
from django.db import connections

from socialapp.core.cache import Command, round_trip
from socialapp.core.db import after_commit

log = structlog.get_logger()


class _Hints:
    """Commands of one transaction: a callback for Django, which discards it when their savepoint is rolled back."""

    def __init__(self, commands: tuple[Command, ...]) -> None:
        self.commands = [*commands]

    def __call__(self) -> None:
        try:
            round_trip(*self.commands)
        except redis.RedisError as error:
            log.warning("redis.hints_lost", error=str(error))


def send_after_commit(context: str, *commands: Command) -> None:
    """Sends commands once the open transaction on `context` has committed, in one round trip with those registered
    just before; immediately if there is none. They must be idempotent."""
    connection: Any = connections[context]
    savepoints, callback, _ = connection.run_on_commit[-1] if connection.run_on_commit else (set(), None, False)
    # None stands for a block without a savepoint, which is rolled back with what is around it.
    if isinstance(callback, _Hints) and savepoints - {None} == {*connection.savepoint_ids} - {None}:
        callback.commands += commands
    else:
        after_commit(context, callback=_Hints(commands))
