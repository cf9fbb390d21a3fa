"""The connection class of the database backend, in the module where Django looks for it."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper, which can also query the driver directly: as `socialapp.core.mysql`."""

    def rows(self, sql: str, values: Sequence[str | int | datetime | None]) -> list[tuple[Any, ...]] | None:
        """The rows of a query without Django's cursors, which translate its placeholders each time; None if a cursor
        has to be used.

        Like Django, it opens the connection and raises Django's errors.
        """
        self.ensure_connection()
        if self.execute_wrappers or self.queries_logged:
            return None
        self.validate_no_broken_transaction()
        adapt = self.ops.adapt_datetimefield_value
        written = [adapt(value) if isinstance(value, datetime) else value for value in values]
        with self.wrap_database_errors:
            return cast(list[tuple[Any, ...]], self.connection.execute(_translated(sql), written).fetchall())


@lru_cache(maxsize=512)
def _translated(sql: str) -> str:
    """The statement with the driver's placeholders, by Django's own pattern."""
    return base.FORMAT_QMARK_REGEX.sub("?", sql).replace("%%", "%")
