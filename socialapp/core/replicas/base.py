"""The database backend of read replicas: MySQL's, but it switches to the primary when the replica fails in use.

Django finds it by the name of this package: ENGINE = "socialapp.core.replicas".
"""

import contextlib
from typing import Any

from django.db import Error, connections
from django.db.backends.mysql import base
from django.db.backends.utils import CursorWrapper

from socialapp.core.replicas import mark_down

# The driver's errors when the server is gone, does not respond in time, or is shutting down.
_LOST = frozenset({2002, 2003, 2006, 2013, 1053, 1927, 1040, 1045, 1049})


class ReplicaCursor(CursorWrapper):
    """Runs a query on the primary if the replica fails: when it is gone, or does not have a table yet."""

    def _execute(self, sql: Any, params: Any, *ignored_wrapper_args: Any) -> Any:
        try:
            return super()._execute(sql, params, *ignored_wrapper_args)  # type: ignore[misc]
        except Error as error:
            self.cursor = self.db.primary_cursor(error)
        return self.cursor.execute(sql, params)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that only reads."""

    def init_connection_state(self) -> None:
        """Makes the server reject a write sent here by mistake, even if the replica is writable."""
        super().init_connection_state()
        with contextlib.closing(self.create_cursor()) as cursor:
            cursor.execute("SET SESSION TRANSACTION READ ONLY")

    def cursor(self) -> Any:
        """A cursor on the replica, or on the primary if the replica cannot be reached."""
        try:
            return super().cursor()
        except Error as error:
            return self.primary_cursor(error)

    def make_cursor(self, cursor: Any) -> CursorWrapper:
        """A cursor that can switch to the primary."""
        return ReplicaCursor(cursor, self)

    def primary_cursor(self, error: Error) -> Any:
        """A cursor on the primary, after the replica gave this error."""
        if error.args and error.args[0] in _LOST:
            mark_down(self.alias)
            self.close()
        return connections[self.settings_dict["PRIMARY"]].cursor()

    def lag_seconds(self) -> float | None:
        """Seconds behind the primary, of the slowest source; None if replication is not running."""
        try:
            self.ensure_connection()
            with self.wrap_database_errors, contextlib.closing(self.create_cursor()) as cursor:
                cursor.execute("SHOW REPLICA STATUS")
                names = [column[0] for column in cursor.description]
                place = next(index for index, name in enumerate(names) if name.startswith("Seconds_Behind"))
                lags = [row[place] for row in cursor.fetchall()]
        except Error:
            self.close()
            raise
        return None if not lags or None in lags else float(max(lags))
