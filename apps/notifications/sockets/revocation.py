"""Finds open sockets whose sessions or accounts have ended."""

from collections.abc import Iterable

import structlog
from django.conf import settings

from socialapp.core.cache import redis_client, redis_errors
from socialapp.core.errors import Problem
from socialapp.core.principal import Principal
from socialapp.http.admission import REVOKED_KEY, fetch_revoked

log = structlog.get_logger()


def revoked_among(principals: Iterable[Principal]) -> set[Principal]:
    """The sockets whose session or account has ended. One round trip; calls auth if Redis has lost them."""
    people = list(principals)
    wanted = [member for person in people for member in (f"user:{person.id}", f"session:{person.session}")]
    try:
        found = redis_client().smismember(f"{settings.REDIS_PREFIX}{REVOKED_KEY}", ["complete", *wanted])
    except redis_errors():
        found = [0]
    named = {member for member, is_in in zip(wanted, found[1:], strict=False) if is_in}
    gone = named if found[0] else _ask_auth()
    return {person for person in people if f"user:{person.id}" in gone or f"session:{person.session}" in gone}


def _ask_auth() -> set[str]:
    try:
        return fetch_revoked()
    except Problem as problem:
        log.warning("sockets.revocations_unknown", code=problem.code)
        return set()
