"""Checks whether the servers that this process needs respond; used by readiness, `doctor` and the backlog metrics."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connections

from socialapp.core.cache import redis_client
from socialapp.core.contexts import served, serves
from socialapp.core.replicas import replica_problem

if TYPE_CHECKING:
    from kombu import Connection

PROBE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Dependency:
    """A server outside the process; `check` raises if it does not respond."""

    name: str
    is_needed: bool
    check: Callable[[], None]


def dependencies() -> list[Dependency]:
    """The databases and replicas of the served contexts, and the other configured servers."""
    return [
        *(Dependency(f"database:{context.name}", True, partial(_check_database, context.name)) for context in served()),
        *(
            Dependency(f"replica:{alias}", False, partial(_check_replica, alias))
            for aliases in settings.REPLICAS.values()
            for alias in aliases
        ),
        *servers(),
    ]


def servers() -> list[Dependency]:
    """The servers that all contexts share."""
    found = [Dependency("redis", False, _check_redis), Dependency("broker", False, _check_broker)]
    if settings.KAFKA_URL:
        found.append(Dependency("kafka", False, _check_kafka))
    if settings.ELASTICSEARCH_URL and serves("search"):
        found.append(Dependency("search", False, _check_search))
    return found


def broker_connection() -> "Connection":
    """An unopened connection to Celery's broker that gives up soon."""
    from kombu import Connection  # loads all of Celery, which web processes rarely need otherwise

    options: dict[str, Any] = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, "max_retries": 0}
    if not settings.BROKER_URL.startswith("amqp"):
        options.update(socket_timeout=PROBE_SECONDS, socket_connect_timeout=PROBE_SECONDS)
    return Connection(settings.BROKER_URL, connect_timeout=PROBE_SECONDS, transport_options=options)


def _check_database(alias: str) -> None:
    # The connection belongs to the probe's thread and ends with it.
    connection = connections[alias]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def _check_replica(alias: str) -> None:
    try:
        if problem := replica_problem(alias):
            raise RuntimeError(problem)
    finally:
        connections[alias].close()


def _check_redis() -> None:
    redis_client().ping()


def _check_broker() -> None:
    with broker_connection() as connection:
        connection.ensure_connection(max_retries=0)


def _check_kafka() -> None:
    from socialapp.messaging.transports import kafka

    kafka.check(PROBE_SECONDS)


def _check_search() -> None:
    import httpx

    httpx.get(settings.ELASTICSEARCH_URL, timeout=PROBE_SECONDS).raise_for_status()
