"""Transactions on one context's database, references across contexts, and the guard between transactions and calls."""

import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import DatabaseError, IntegrityError, OperationalError, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from socialapp.core.ids import new_id

T = TypeVar("T")
P = ParamSpec("P")
# The types that a field accepts and returns: the type checker adds None where `null=True`.
_Set = TypeVar("_Set")
_Get = TypeVar("_Get")

_ATTEMPTS = 5
_open_on: ContextVar[tuple[str, ...]] = ContextVar("open_transactions", default=())


@contextmanager
def atomic(context: str, *, savepoint: bool = True) -> Iterator[None]:
    """One transaction on the database of `context`; nested use joins the outer one through a savepoint.

    With `savepoint=False`, which saves two round trips, an error in here aborts the outer transaction too: for code
    called in transactions of handlers and requests, where nobody catches errors and continues.
    """
    outer = _open_on.get()
    token = _open_on.set((*outer, context))
    try:
        # Transactions opened by others, such as those around tests, always get one.
        with transaction.atomic(using=context, savepoint=savepoint or context not in outer):
            yield
    finally:
        _open_on.reset(token)


def after_commit(context: str, *, callback: Callable[[], object]) -> None:
    """Runs `callback` once the open transaction on `context` has committed, or immediately if there is none."""
    transaction.on_commit(callback, using=context)


def transactional(context: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Runs the decorated action in one transaction on the database of `context`.

    Called inside a transaction on that database, it joins it, and an error aborts the outer one too. The outermost one
    retries the action, after a short random pause and at most four times, if the database aborted it in favor of
    another (deadlock, lock wait timeout, TiDB's write conflict) or a new id was taken, as happens if two processes
    have the same node number. So the action must be repeatable: it calls no other context, and leaves effects outside
    the database to `after_commit`.
    """

    def decorate(action: Callable[P, T]) -> Callable[P, T]:
        @wraps(action)
        def run(*args: P.args, **kwargs: P.kwargs) -> T:
            for attempt in range(1, _ATTEMPTS):
                try:
                    with atomic(context, savepoint=False):
                        return action(*args, **kwargs)
                except (OperationalError, IntegrityError) as error:
                    if open_transactions() or not (_is_lost_conflict(error) or _id_was_taken(error)):
                        raise
                    time.sleep(random.SystemRandom().uniform(0, 0.02 * attempt))
            with atomic(context, savepoint=False):
                return action(*args, **kwargs)

        return run

    return decorate


class _Opened(threading.local):
    """The connections that this thread has opened, by alias."""

    def __init__(self) -> None:
        self.connections: dict[str, BaseDatabaseWrapper] = {}


_opened = _Opened()


def remember_opened(*, connection: BaseDatabaseWrapper, **sent: object) -> None:
    """Records a connection for `close_old_opened`. A receiver of `connection_created`."""
    _opened.connections[connection.alias] = connection


def close_old_opened(**sent: object) -> None:
    """Like Django's `close_old_connections`, but only for connections that this thread has opened.

    A receiver of `request_finished`. Connections in a transaction are left alone: tests run requests inside one.
    """
    for connection in _opened.connections.values():
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def _is_lost_conflict(error: DatabaseError) -> bool:
    """Deadlock or lock wait time-out (MySQL 1213, 1205), or a write conflict (TiDB 9007, 8002, 8022, some 1105)."""
    code, text = (*error.args, "", "")[:2]
    return code in (1213, 1205, 9007, 8002, 8022) or (code == 1105 and "lock retry limit reached" in str(text))


_TAKEN_ID = re.compile(r"for key '(\w+\.)?PRIMARY'|UNIQUE constraint failed: \w+\.id$")


def _id_was_taken(error: DatabaseError) -> bool:
    """A clash of primary keys, as reported by MariaDB, MySQL, TiDB and SQLite."""
    return isinstance(error, IntegrityError) and bool(_TAKEN_ID.search(str(error.args[-1] if error.args else "")))


def set_database_timeouts(*, skip_silent: bool = False) -> None:
    """Makes this process and its database servers close connections that are silent for `DATABASE_SECONDS`.

    For the roles: a network that drops packets does so silently. Otherwise a statement waits for ever, and the
    transaction of a lost machine keeps its locks for ever. The statements of commands may take hours.

    With `skip_silent`, connecting to a server that lately let an attempt time out fails at once: for roles that serve
    requests, whose threads the other contexts need.
    """
    for configured in connections.settings.values():
        if "mysql" in configured["ENGINE"] or "replicas" in configured["ENGINE"]:
            options = configured["OPTIONS"]
            options.setdefault("read_timeout", settings.DATABASE_SECONDS)
            options.setdefault("write_timeout", settings.DATABASE_SECONDS)
            configured["SKIP_SILENT"] = skip_silent
            # only MariaDB knows it, and only MariaDB reads such comments
            options["init_command"] += f" /*M!100300 , idle_transaction_timeout={settings.DATABASE_SECONDS} */"


def open_transactions() -> tuple[str, ...]:
    """The contexts whose transaction is open in the running code, outermost first."""
    return _open_on.get()


def empty_write_ahead_log(alias: str) -> bool:
    """Flushes the write-ahead log of a SQLite database into its file; False if a reader prevented it.

    Deleted rows are overwritten in the file (`secure_delete`), but the log keeps older copies of their pages. Not
    for use inside a transaction. Source: https://www.sqlite.org/pragma.html#pragma_wal_checkpoint
    """
    connection = connections[alias]
    if connection.vendor != "sqlite" or "mode=memory" in str(connection.settings_dict["NAME"]):
        return True
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return bool(cursor.fetchone()[0] == 0)
    except OperationalError:
        return False


def is_tidb(alias: str) -> bool:
    """Whether that database is TiDB, which identifies itself as MySQL: docs/adr/0012 lists the differences."""
    connection: Any = connections[alias]
    return connection.vendor == "mysql" and "TiDB" in connection.mysql_server_info


class Gone(StrEnum):
    """What happens to a row when its target in another context is deleted."""

    ERASE = "erase"  # the row goes too
    KEEP = "keep"  # the row stays and the reader tolerates the dangling id
    ANONYMIZE = "anonymize"  # the row stays without the reference


class RemoteKey(models.BigIntegerField[_Set, _Get]):
    """The id of a row in another context: a plain BIGINT, whose target's deletion some handler must process.

    `target` is "context.Model"; `gone` is what happens when the target is deleted. A test checks that a handler
    of this context listens to the target's deletion.
    """

    def __init__(self, target: str, *, gone: Gone, **options: Any) -> None:
        self.target = target
        self.gone = gone
        super().__init__(**options)

    def deconstruct(self) -> Any:
        """A BIGINT for migrations, as in the database."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.BigIntegerField", args, kwargs

    def clone(self) -> "RemoteKey[_Set, _Get]":
        """A copy; Django's own implementation uses `deconstruct`, which omits what is not in the database."""
        _, _, args, kwargs = self.deconstruct()
        return RemoteKey(self.target, *args, gone=self.gone, **kwargs)


class IdField(models.BigIntegerField[int, int]):
    """The primary key of the contexts' tables: a time-sortable id generated in the application."""

    def __init__(self, **options: Any) -> None:
        options.update(primary_key=True, default=new_id, editable=False)
        super().__init__(**options)

    def deconstruct(self) -> Any:
        """The default is always `new_id`, so migrations need not repeat the rest."""
        name, path, args, kwargs = super().deconstruct()
        for option in ("primary_key", "default", "editable"):
            kwargs.pop(option, None)
        return name, path, args, kwargs
