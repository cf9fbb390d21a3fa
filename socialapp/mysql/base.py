"""Where Django looks for the class of a database backend's connections."""

import time

from django.db.backends.mysql import base

_TRUSTED_SECONDS = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Asks a connection whether it still stands at most once a second, not before the first query of each request.

    A connection that breaks within that second fails the one request that finds out; Django then checks it by itself.
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
