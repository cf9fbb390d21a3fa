"""Where Django looks for the class of a database backend's connections."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.mysql import base
from MySQLdb.connections import Connection
from MySQLdb.constants import FIELD_TYPE

_TRUSTED_SECONDS = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with fewer round trips: for transactions, and to find out whether a connection still works.

    That is asked at most once a second, not before the first query of each request. A connection that breaks within
    that second fails the one request that finds out; Django then checks it by itself. Of several to one server, which
    different contexts use, only the first that is found broken costs the time that a silent network takes.
    """

    health_check_done: bool
    _checked_at = 0.0

    def get_connection_params(self) -> dict[str, Any]:
        """Django's, with times read by the interpreter: the driver takes them apart in Python, at twice the cost."""
        parameters: dict[str, Any] = super().get_connection_params()
        return {**parameters, "conv": {**parameters["conv"], FIELD_TYPE.DATETIME: _moment}}

    def close_if_health_check_failed(self) -> None:
        """As Django does it, unless the connection was checked a moment ago."""
        if self.connection is None or self.health_check_done:
            return
        now = time.monotonic()
        if now - self._checked_at < _TRUSTED_SECONDS:
            self.health_check_done = True
            return
        super().close_if_health_check_failed()
        self._checked_at = now

    def rows(self, sql: str, values: Sequence[str | int | None]) -> list[tuple[Any, ...]]:
        """The rows of a query, asked of the driver directly: Django's and its own cursors cost as much as the server.

        Like them it opens the connection, checks it, and raises Django's errors.
        """
        driver = self._unwatched_driver()
        if driver is None:
            with self.cursor() as cursor:
                cursor.execute(sql, values)
                return list(cursor.fetchall())
        written = tuple(b"%d" % value if type(value) is int else driver.literal(value) for value in values)
        with self.wrap_database_errors:
            driver.query(sql.encode() % written)
            return list(driver.store_result().fetch_row(maxrows=0))

    def insert(self, head: str, rows: Iterable[Sequence[Any]], tail: str) -> bool:
        """`head`, the rows in parentheses, and `tail`, given to the driver directly; False when a cursor must do it."""
        driver = self._unwatched_driver()
        if driver is None:
            return False
        written = b", ".join(b"(%s)" % b", ".join([self._literal(driver, value) for value in row]) for row in rows)
        with self.wrap_database_errors:
            driver.query(head.encode() + written + tail.encode())
        return True

    def _literal(self, driver: Connection, value: Any) -> bytes:
        """As the driver writes it, the usual types without its looking for a converter."""
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
        """The driver's connection, open and checked; none when somebody watches what cursors do."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        driver = self.connection
        if self.execute_wrappers or self.queries_logged or type(driver) is not Connection:
            return None
        self.validate_no_broken_transaction()
        return driver

    def is_usable(self) -> bool:
        """As Django finds it; if not, the others that this thread has to the same server are not asked, but renewed."""
        usable = super().is_usable()
        if not usable:
            for other in connections.all(initialized_only=True):
                if other is not self and _server(other) == _server(self) and not other.in_atomic_block:
                    other.close()
        return usable

    def _start_transaction_under_autocommit(self) -> None:
        """One statement, where Django switches autocommit off before each transaction and on again after it."""
        with self.wrap_database_errors:
            self.connection.query("BEGIN")


def _moment(text: str) -> datetime | None:
    """A DATETIME as the server writes it; none for the zero date, which is no day."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _server(connection: BaseDatabaseWrapper) -> tuple[object, object]:
    return connection.settings_dict["HOST"], connection.settings_dict["PORT"]
