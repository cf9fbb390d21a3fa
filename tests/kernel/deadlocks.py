"""Makes transactions the victims of deadlocks."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import OperationalError, connections

from socialapp.core.contexts import CONTEXTS

_WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


class OneDeadlock:
    """Fails the first statement that writes to one database, as MariaDB does to the victim of a deadlock."""

    def __init__(self) -> None:
        self.hits = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self.hits == 0 and sql.lstrip().upper().startswith(_WRITES):
            self.hits += 1
            raise OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")
        return execute(sql, params, many, context)


@contextmanager
def a_deadlock_everywhere() -> Iterator[dict[str, OneDeadlock]]:
    """Fails the first statement that writes to each context's database; yields, by context, whether there was one."""
    deadlocks = {context: OneDeadlock() for context in CONTEXTS}
    with ExitStack() as stack:
        for context, deadlock in deadlocks.items():
            stack.enter_context(connections[context].execute_wrapper(deadlock))
        yield deadlocks
