"""Databases: one per context, no default; and their read replicas, see socialapp/core/replicas."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from socialapp.core.contexts import served
from socialapp.settings.environment import DATA_DIR, env

DATABASE_URL = env.str("DATABASE_URL", default=f"sqlite:///{DATA_DIR}/db/{{context}}.sqlite3")
DATABASE_SECONDS = env.int("DATABASE_SECONDS", default=20)  # see `roles.py`; longer than the wait for a lock: 10


def _database(context: str) -> dict[str, Any]:
    return _configured(
        env.str(f"{context.upper()}_DATABASE_URL", default=DATABASE_URL.replace("{context}", context)),
        name=f"DATABASE_URL or {context.upper()}_DATABASE_URL",
    )


def _configured(url: str, *, name: str) -> dict[str, Any]:
    """The connection to `url`, which the variable `name` gave."""
    if not url.startswith(("mysql://", "sqlite://")):
        raise ImproperlyConfigured(f"{name} must begin with mysql:// or sqlite://")
    try:
        config: dict[str, Any] = dict(env.db_url_config(url))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from None
    config["TEST"] = {"DEPENDENCIES": []}
    config["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    config["CONN_HEALTH_CHECKS"] = True
    config["ATOMIC_REQUESTS"] = False
    if "sqlite" in config["ENGINE"]:
        config["ENGINE"] = "socialapp.core.sqlite"
        config["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            # FULL: an acknowledged write survives a power cut too
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
            # overwrites deleted data, so that it is gone from the file too
            " PRAGMA secure_delete=ON; PRAGMA cache_size=-4000;",
        }
    else:
        config["ENGINE"] = "socialapp.core.mysql"
        config["OPTIONS"] = {
            "charset": "utf8mb4",
            "init_command": "SET sql_mode='STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout=10",
            "isolation_level": "read committed",
            "connect_timeout": 5,
        }
    return config


DATABASES: dict[str, dict[str, Any]] = {
    "default": {},
    **{context.name: _database(context.name) for context in served()},
}
_places = [(found["HOST"], found["PORT"], found["NAME"]) for found in DATABASES.values() if found]
if len(set(_places)) < len(_places):
    raise ImproperlyConfigured("each context needs a database of its own: put {context} into DATABASE_URL")

DATABASE_REPLICA_URLS = env.list("DATABASE_REPLICA_URLS", default=[])
REPLICA_MAX_LAG_SECONDS = env.float("REPLICA_MAX_LAG_SECONDS", default=2.0)
# A replica in use may lag by the allowed seconds, plus one for rounding, plus one since the last check.
REPLICA_PIN_SECONDS = REPLICA_MAX_LAG_SECONDS + 3
_REPLICA_SECONDS = 5  # for a read; after that the primary is asked


def _replica(context: str, url: str) -> dict[str, Any]:
    config = _configured(url, name=f"DATABASE_REPLICA_URLS or {context.upper()}_REPLICA_URLS")
    if "sqlite" in config["ENGINE"]:
        raise ImproperlyConfigured(f"the replica of {context} must be a MySQL or MariaDB, as its primary is")
    config.update(ENGINE="socialapp.core.replicas", PRIMARY=context, CONN_HEALTH_CHECKS=False)
    config["OPTIONS"].update(connect_timeout=1, read_timeout=_REPLICA_SECONDS)
    config["TEST"]["MIRROR"] = context
    return config


def _replicas(context: str) -> list[str]:
    """The aliases of the context's replicas. Auth has none: logging in and revoking sessions must take effect at
    once."""
    if context == "auth" or "sqlite" in DATABASES[context]["ENGINE"]:
        return []
    given = [url.replace("{context}", context) for url in DATABASE_REPLICA_URLS]
    urls = env.list(f"{context.upper()}_REPLICA_URLS", default=given)
    found = {f"{context}-replica-{number}": _replica(context, url) for number, url in enumerate(urls, start=1)}
    DATABASES.update(found)
    return list(found)


REPLICAS = {context.name: names for context in served() if (names := _replicas(context.name))}
DATABASE_ROUTERS = ["socialapp.core.routers.ContextRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
EMBEDDED = all("sqlite" in DATABASES[context.name]["ENGINE"] for context in served())
