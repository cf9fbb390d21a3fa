"""A circuit breaker: skips a server for a while after it has failed several times in a row."""

import threading
import time


class Breaker:
    """Opens after several failures in a row, then lets a single call probe the server.

    pybreaker holds its lock during the guarded call, so that the threads of a process would wait for each other's
    calls; this one only counts.
    """

    def __init__(self, *, faults: int, open_seconds: float) -> None:
        self._faults_to_open, self._open_seconds = faults, open_seconds
        self._lock = threading.Lock()
        self._faults = 0
        self._closed_until = 0.0

    def allow(self) -> bool:
        """Whether a call may be sent now."""
        with self._lock:
            if self._faults < self._faults_to_open:
                return True
            now = time.monotonic()
            if now < self._closed_until:
                return False
            self._closed_until = now + self._open_seconds  # for the others, until this one knows more
            return True

    def record(self, *, fault: bool) -> None:
        """Records the outcome of a call."""
        with self._lock:
            self._faults = self._faults + 1 if fault else 0
            self._closed_until = time.monotonic() + self._open_seconds
