"""Finds what makes an installation unsafe: settings and servers that could lose acknowledged data, or let others in.

`manage.py doctor` also checks the servers; `manage.py check --deploy` only the settings.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connections, router
from django.db.models import Model, UniqueConstraint

from socialapp.core.cache import redis_client, redis_errors
from socialapp.core.contexts import CONTEXTS, served, serves
from socialapp.core.db import is_tidb
from socialapp.core.replicas import replica_problem
from socialapp.ops.probes import servers

_SECRET_CHARACTERS = 32
_SETTINGS = {"search": "ELASTICSEARCH"}  # where its name differs from the server's
SQLITE_FULL = 2
_WANTED_VARIABLES = {"innodb_flush_log_at_trx_commit": "1", "sync_binlog": "1"}
_EVICTION_ALLOWED = "noeviction"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem: `code` for machines, `where` it is, `problem` and `remedy` for people."""

    code: str
    where: str
    problem: str
    remedy: str


def settings_findings() -> Iterator[Finding]:
    """Problems that are visible in the settings alone."""
    if settings.DEBUG:
        yield Finding("debug", "settings", "DEBUG is on: errors show the code and its secrets", "unset DEBUG")
    for name in ("SECRET_KEY", "SERVICE_SECRET"):
        secret = getattr(settings, name)
        if len(secret) < _SECRET_CHARACTERS or len(set(secret)) < 8:
            yield Finding("weak_secret", "settings", f"{name} can be guessed", f"set {name} to 50 random characters")
    if not settings.JWT_PRIVATE_KEY and not settings.JWT_PUBLIC_KEY:
        yield Finding("no_signing_key", "settings", "no key to verify access tokens with", "set JWT_PRIVATE_KEY")
    for name in CONTEXTS:
        if not serves(name) and not settings.SERVICE_URLS[name]:
            variable = f"{name.upper()}_URL"
            yield Finding("no_service_url", "settings", f"{name} is served elsewhere, but where?", f"set {variable}")
    if settings.EMBEDDED:
        return
    if not settings.PUBLIC_URL.startswith("https://"):
        yield Finding("no_https", "settings", "PUBLIC_URL is not https: tokens travel in the open", "set PUBLIC_URL")
    if "*" in settings.ALLOWED_HOSTS:
        yield Finding("any_host", "settings", "ALLOWED_HOSTS takes any name", "name the hosts you answer for")
    if not settings.RATE_LIMITS:
        yield Finding("no_rate_limits", "settings", "RATE_LIMITS is off: passwords can be tried", "unset RATE_LIMITS")


def database_findings(alias: str) -> Iterator[Finding]:
    """Whether the database of `alias` responds, commits durably and has all tables and indexes."""
    connection = connections[alias]
    try:
        connection.ensure_connection()
        yield from _durability_findings(alias)
        yield from _migration_findings(alias)
        yield from _index_findings(alias)
    except DatabaseError as error:
        yield Finding(
            "database_unreachable", alias, f"the database does not answer: {error}", "look at its URL and log"
        )


def _durability_findings(alias: str) -> Iterator[Finding]:
    """An acknowledged commit must survive a power cut."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        if is_tidb(alias):
            return  # it commits through Raft; these variables have no effect
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous")
            if int(cursor.fetchone()[0]) < SQLITE_FULL:
                yield Finding("not_durable", alias, "PRAGMA synchronous is below FULL", "use FULL")
            return
        cursor.execute("SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_flush_log_at_trx_commit', 'sync_binlog')")
        values = {str(name): str(value) for name, value in cursor.fetchall()}
    for name, wanted in _WANTED_VARIABLES.items():
        if values.get(name, wanted) != wanted:
            yield Finding("not_durable", alias, f"{name} is {values[name]}: commits can be lost", f"set it to {wanted}")


def _migration_findings(alias: str) -> Iterator[Finding]:
    from socialapp.ops.management.commands.migrate_all import pending_migrations

    if missing := pending_migrations(alias):
        yield Finding("unmigrated", alias, f"migrations are missing: {', '.join(missing)}", "run manage.py migrate_all")


def _index_findings(alias: str) -> Iterator[Finding]:
    """Every index and unique constraint that a model declares must exist, if the database supports its kind."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for model in apps.get_models():
            table = model._meta.db_table
            if table not in tables or not router.allow_migrate(alias, model._meta.app_label):
                continue
            present = connection.introspection.get_constraints(cursor, table)
            for name in _declared_names(model, connection.features):
                if name not in present:
                    yield Finding("missing_index", alias, f"{table} lacks {name}", "create it again")


def _declared_names(model: type[Model], features: Any) -> list[str]:
    unique = [found for found in model._meta.constraints if isinstance(found, UniqueConstraint)]
    return [
        found.name
        for found in (*model._meta.indexes, *unique)
        if (features.supports_partial_indexes or not found.condition)
        and (features.supports_expression_indexes or not found.expressions)
    ]


def replica_findings() -> Iterator[Finding]:
    """A skipped replica costs only its capacity: the primary takes over its share of reads."""
    for aliases in settings.REPLICAS.values():
        for alias in aliases:
            if trouble := replica_problem(alias):
                yield Finding("replica_unusable", alias, trouble, "look at its replication and the privilege to see it")


def server_findings() -> Iterator[Finding]:
    """Servers that do not respond."""
    for server in servers():
        try:
            server.check()
        except ModuleNotFoundError:
            yield Finding("no_kafka_client", "kafka", "its client is missing", "pip install -r requirements-kafka.txt")
        except Exception as error:
            setting = f"{_SETTINGS.get(server.name, server.name.upper())}_URL"
            problem = f"{server.name} does not answer: {error}"
            yield Finding(f"{server.name}_unreachable", server.name, problem, f"look at {setting}")


def redis_findings() -> Iterator[Finding]:
    """Redis may lose everything at once, but must not evict single keys: a broker's queue is one of them."""
    try:
        info: dict[str, Any] = redis_client().info("memory")
    except redis_errors():
        return  # see `server_findings`
    policy = str(info.get("maxmemory_policy", _EVICTION_ALLOWED))
    if policy != _EVICTION_ALLOWED and settings.BROKER_URL.startswith("redis"):
        yield Finding("redis_evicts", "redis", f"maxmemory-policy is {policy}: queues can vanish", "use noeviction")


def search_findings() -> Iterator[Finding]:
    """Whether Elasticsearch, if it is used, has all its data available."""
    if not settings.ELASTICSEARCH_URL or not serves("search"):
        return
    import httpx

    try:
        health = httpx.get(f"{settings.ELASTICSEARCH_URL}/_cluster/health", timeout=3).raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return  # see `server_findings`
    if health.get("status") == "red":
        yield Finding("search_red", "search", "the cluster is red: some data is not there", "look at its log")


def all_findings() -> list[Finding]:
    """All problems of this installation that this process can see."""
    found = [*settings_findings()]
    for context in served():
        found += database_findings(context.name)
    looks: tuple[Callable[[], Iterator[Finding]], ...] = (
        replica_findings,
        server_findings,
        redis_findings,
        search_findings,
    )
    for look in looks:
        found += look()
    return found
