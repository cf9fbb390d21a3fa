"""Counts a request's SQL statements, Redis round trips, calls between contexts and index requests."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis
from django.db import connections

from apps.search.models.connection import ThreadNode
from socialapp.rpc import calls
from tests.conftest import ALL_CONTEXTS

_TRANSACTION = re.compile(r"(RELEASE )?SAVEPOINT|ROLLBACK TO", re.IGNORECASE)


@dataclass
class Cost:
    """The operations of one request, by kind."""

    statements: list[str] = field(default_factory=list)
    redis: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    index: list[str] = field(default_factory=list)

    def numbers(self) -> dict[str, int]:
        """The number of operations of each kind."""
        return {name: len(found) for name, found in vars(self).items()}

    def details(self) -> str:
        """All operations, truncated to a readable length."""
        return "\n".join(f"    {name}: {one[:200]}" for name, found in vars(self).items() for one in found)


class Meter:
    """Counts while `reading()` is open."""

    def __init__(self) -> None:
        self._cost: Cost | None = None

    @contextmanager
    def reading(self) -> Iterator[Cost]:
        """The cost of the code in this context."""
        self._cost = Cost()
        with ExitStack() as stack:
            for alias in ALL_CONTEXTS:
                stack.enter_context(connections[alias].execute_wrapper(self._statement(alias)))
            try:
                yield self._cost
            finally:
                self._cost = None

    def note(self, name: str, what: str) -> None:
        """Counts an operation."""
        if self._cost is not None:
            getattr(self._cost, name).append(what)

    def _statement(self, alias: str) -> Any:
        def wrap(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if not _TRANSACTION.match(sql):
                self.note("statements", f"{alias}: {sql}")
            return execute(sql, params, many, context)

        return wrap


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> Meter:
    """A meter that wraps all databases, servers and calls that a request can use."""
    found = Meter()
    send = redis.Connection.send_packed_command
    perform = ThreadNode.perform_request
    check = calls._forbid_open_transaction

    def sending(connection: Any, command: Any, *args: Any, **options: Any) -> Any:
        # A pipeline is sent as one command, so it counts as one round trip.
        found.note("redis", repr(command[:1] if isinstance(command, list) else command))
        return send(connection, command, *args, **options)

    def performing(node: Any, method: str, target: str, *args: Any, **options: Any) -> Any:
        found.note("index", f"{method} {target}")
        return perform(node, method, target, *args, **options)

    def checking(context: str, method: str) -> None:
        found.note("calls", f"{context}.{method}")
        check(context, method)

    monkeypatch.setattr(redis.Connection, "send_packed_command", sending)
    monkeypatch.setattr(ThreadNode, "perform_request", performing)
    monkeypatch.setattr(calls, "_forbid_open_transaction", checking)
    return found
