"""Where Django looks for the class of a database backend's connections."""

import time

from django.db.backends.mysql import base

_TRUSTED_SECONDS = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with fewer round trips: for transactions, and to find out whether a connection still stands.

    That is asked at most once a second, not before the first query of each request. A connection that breaks within
    that second fails the one request that finds out; Django then checks it by itself.
    """

    health_check_done: bool
    _checked_at = 0.0

    def close_if_health_check_failed(self) -> None:
        """As Django does it, unless the connection was found to stand a moment ago."""
        if self.connection is None or self.health_check_done:
            return
        now = time.monotonic()
        if now - self._checked_at < _TRUSTED_SECONDS:
            self.health_check_done = True
            return
        super().close_if_health_check_failed()
        self._checked_at = now

    def _start_transaction_under_autocommit(self) -> None:
        """One statement, where Django switches autocommit off before each transaction and on again after it."""
        with self.wrap_database_errors:
            self.connection.query("BEGIN")
