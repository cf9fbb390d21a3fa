"""The connection class of the database backend, in the module where Django looks for it."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import MySQLdb
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.mysql import base
from MySQLdb.connections import Connection
from MySQLdb.constants import CR, FIELD_TYPE

from socialapp.core.breaker import Breaker

_TRUSTED_SECONDS = 1.0
_SILENT_SECONDS = 1.0  # a server that refuses connections does so at once
_SKIPPED_SECONDS = 5.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper, with fewer round trips for transactions and for checking whether a connection still works.

    A connection is checked at most once a second, not before the first query of each request. If it breaks within that
    second, the one request that notices fails, and Django checks it again by itself. When a server hangs, a thread that
    has several connections to it (for different contexts) waits for the network timeout only once.

    With `SKIP_SILENT` in its settings, connecting to a server that let the last attempt time out fails at once, except
    every five seconds.
    """

    health_check_done: bool
    _checked_at = 0.0

    def get_connection_params(self) -> dict[str, Any]:
        """Django's, but the interpreter parses times: the driver's parser is in Python and takes twice as long."""
        parameters: dict[str, Any] = super().get_connection_params()
        return {**parameters, "conv": {**parameters["conv"], FIELD_TYPE.DATETIME: _moment}}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        """Django's, behind a circuit breaker if `SKIP_SILENT` is set."""
        if not self.settings_dict.get("SKIP_SILENT"):
            return super().get_new_connection(conn_params)
        breaker = _breaker(*_server(self))
        if not breaker.allow():
            raise MySQLdb.OperationalError(CR.CONN_HOST_ERROR, "Skipped: the server did not respond")
        began = time.monotonic()
        try:
            connection = super().get_new_connection(conn_params)
        except MySQLdb.Error:
            breaker.record(fault=time.monotonic() - began > _SILENT_SECONDS)
            raise
        breaker.record(fault=False)
        return connection

    def close_if_health_check_failed(self) -> None:
        """Like Django's, unless the connection was checked a moment ago."""
        if self.connection is None or self.health_check_done:
            return
        now = time.monotonic()
        if now - self._checked_at < _TRUSTED_SECONDS:
            self.health_check_done = True
            return
        super().close_if_health_check_failed()
        self._checked_at = now

    def rows(self, sql: str, values: Sequence[str | int | datetime | None]) -> list[tuple[Any, ...]] | None:
        """The rows of a query, read from the driver directly; None if a cursor has to be used: those of Django and of
        the driver cost as much time as the server does.

        Like Django, it opens the connection, checks it, and raises Django's errors.
        """
        driver = self._unwatched_driver()
        if driver is None:
            return None
        written = tuple(self._literal(driver, value) for value in values)
        with self.wrap_database_errors:
            driver.query(sql.encode() % written)
            return list(driver.store_result().fetch_row(maxrows=0))

    def insert(self, head: str, rows: Iterable[Sequence[Any]], tail: str) -> list[tuple[Any, ...]] | None:
        """Sends `head`, the rows in parentheses, and `tail` through the driver directly; the rows that this returns, or
        None if a cursor has to be used."""
        driver = self._unwatched_driver()
        if driver is None:
            return None
        written = b", ".join(b"(%s)" % b", ".join([self._literal(driver, value) for value in row]) for row in rows)
        with self.wrap_database_errors:
            driver.query(head.encode() + written + tail.encode())
            result = driver.store_result()
            return list(result.fetch_row(maxrows=0)) if result else []

    def _literal(self, driver: Connection, value: Any) -> bytes:
        """As the driver writes it, but without looking up a converter for the usual types."""
        if type(value) is int:
            return b"%d" % value
        if value is None:
            return b"NULL"
        if isinstance(value, datetime):
            value = str(self.ops.adapt_datetimefield_value(value))
        if isinstance(value, str):
            return bytes(driver.string_literal(value.encode()))
        return bytes(driver.literal(value))

    def _unwatched_driver(self) -> Connection | None:
        """The driver's connection, open and checked; None if something instruments cursors."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        driver = self.connection
        if self.execute_wrappers or self.queries_logged or type(driver) is not Connection:
            return None
        self.validate_no_broken_transaction()
        return driver

    def is_usable(self) -> bool:
        """Like Django's; if unusable, this thread's other connections to the same server are renewed without being
        checked."""
        usable = super().is_usable()
        if not usable:
            for other in connections.all(initialized_only=True):
                if other is not self and _server(other) == _server(self) and not other.in_atomic_block:
                    other.close()
        return usable

    def _start_transaction_under_autocommit(self) -> None:
        """One statement; Django switches autocommit off before each transaction and on again after it."""
        with self.wrap_database_errors:
            self.connection.query("BEGIN")


def _moment(text: str) -> datetime | None:
    """A DATETIME in the server's format; None for the zero date, which is not a date."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _server(connection: BaseDatabaseWrapper) -> tuple[str, str]:
    return connection.settings_dict["HOST"], str(connection.settings_dict["PORT"])


@cache
def _breaker(host: str, port: str) -> Breaker:
    """The breaker of a server, which all threads and contexts share."""
    return Breaker(faults=1, open_seconds=_SKIPPED_SECONDS)
