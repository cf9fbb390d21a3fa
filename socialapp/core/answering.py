"""Checks whether a context's database answers, before periodic tasks, which would hold a worker's slot while it hangs.

Otherwise each of its tasks would wait for DATABASE_SECONDS, more of them would come due meanwhile, and soon no slot
would be left for the other contexts.
"""

import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import structlog
from django.db import connections

from socialapp.core.breaker import Breaker
from socialapp.core.contexts import Context, served

log = structlog.get_logger()

_SECONDS = 2  # within which it must answer
_TRUSTED_SECONDS = 3.0  # for which an answer is cached
_LEFT_ALONE_SECONDS = 30.0

_answered_at: dict[str, float] = {}


def is_answering(alias: str) -> bool:
    """Whether the database accepts a separate connection within two seconds. After a failure it is skipped for half a
    minute. SQLite's files always answer."""
    connection: Any = connections[alias]
    answered_at = _answered_at.get(alias, -_TRUSTED_SECONDS)
    if connection.vendor != "mysql" or time.monotonic() - answered_at < _TRUSTED_SECONDS:
        return True
    breaker = _breaker(alias)
    if not breaker.allow():
        return False
    answers = _answers(connection.get_connection_params())
    breaker.record(fault=not answers)
    if answers:
        _answered_at[alias] = time.monotonic()
    else:
        log.warning("periodic.database_not_answering", context=alias, left_alone_seconds=_LEFT_ALONE_SECONDS)
    return answers


def answering_contexts() -> Iterator[Context]:
    """The served contexts whose databases answer."""
    return (context for context in served() if is_answering(context.name))


@cache
def _breaker(alias: str) -> Breaker:
    return Breaker(faults=1, open_seconds=_LEFT_ALONE_SECONDS)


def _answers(parameters: dict[str, Any]) -> bool:
    import MySQLdb

    limits = {"connect_timeout": _SECONDS, "read_timeout": _SECONDS, "write_timeout": _SECONDS}
    try:
        MySQLdb.connect(**{**parameters, **limits}).close()
    except MySQLdb.Error:
        return False
    return True
