"""Announcing ended sessions, deleted accounts and changed roles to admission, again while Redis is unreachable."""

import threading
import time
from collections.abc import Sequence

import structlog

from socialapp.core.cache import redis_errors
from socialapp.http.admission import remember_revoked

log = structlog.get_logger()

_RETRY_SECONDS = 0.5
_pending: set[str] = set()
_lock = threading.Lock()


def announce_revoked(members: Sequence[str]) -> None:
    """Publishes revoked "user:<id>" and "session:<id>", and changed "roles:<id>", to admission. Idempotent.

    While Redis is unreachable, admission asks auth instead. A thread announces them as soon as Redis is back: what it
    kept would count as complete for up to a minute.
    """
    try:
        remember_revoked(members)
    except redis_errors() as error:
        log.warning("auth.revocation_not_announced", error=str(error))
        _announce_later(members)


def _announce_later(members: Sequence[str]) -> None:
    with _lock:
        is_running = bool(_pending)
        _pending.update(members)
    if not is_running:
        threading.Thread(target=_announce_pending, name="revocations", daemon=True).start()


def _announce_pending() -> None:
    while True:
        time.sleep(_RETRY_SECONDS)
        with _lock:
            members = set(_pending)
        try:
            remember_revoked([*members])
        except redis_errors():
            continue
        with _lock:
            _pending.difference_update(members)
            if not _pending:
                return
