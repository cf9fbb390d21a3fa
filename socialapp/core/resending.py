"""Sends to Redis what must not be lost, and sends it again when Redis was unreachable."""

import threading
import time
from collections.abc import Callable, Sequence

import redis
import structlog

log = structlog.get_logger()

_RETRY_SECONDS = 0.5


class Resender:
    """Sends members with `send`, which must be idempotent.

    What Redis does not accept, a thread sends as soon as it is back: until then, what Redis kept is outdated. What is
    pending when the process ends is lost.
    """

    def __init__(self, send: Callable[[Sequence[str]], object], *, name: str) -> None:
        self._send = send
        self._name = name
        self._pending: dict[str, float] = {}  # member → until when it matters, by the monotonic clock
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def send(self, members: Sequence[str], *, seconds: float) -> None:
        """Sends members, again if need be; after so many seconds what Redis kept has expired, and they no longer
        matter."""
        try:
            self._send(members)
        except redis.RedisError as error:
            log.warning("redis.not_sent", what=self._name, error=str(error))
            self.send_later(members, seconds=seconds)

    def send_later(self, members: Sequence[str], *, seconds: float) -> None:
        """Like `send`, for members that Redis has not accepted just now."""
        with self._lock:
            self._pending.update(dict.fromkeys(members, time.monotonic() + seconds))
            if self._thread is None or not self._thread.is_alive():  # not alive: after a fork
                self._thread = threading.Thread(target=self._send_pending, name=self._name, daemon=True)
                self._thread.start()

    def _send_pending(self) -> None:
        time.sleep(_RETRY_SECONDS)
        while members := self._still_pending():
            try:
                self._send([*members])
            except redis.RedisError:
                time.sleep(_RETRY_SECONDS)
            else:
                self._remove(members)

    def _still_pending(self) -> dict[str, float]:
        """The members that still matter; if there are none, the thread ends."""
        now = time.monotonic()
        with self._lock:
            self._pending = {member: until for member, until in self._pending.items() if until > now}
            if not self._pending:
                self._thread = None
            return dict(self._pending)

    def _remove(self, members: dict[str, float]) -> None:
        """Removes what was sent, unless it has been added again meanwhile."""
        with self._lock:
            for member, until in members.items():
                if self._pending.get(member) == until:
                    del self._pending[member]
