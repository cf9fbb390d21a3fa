"""Searches every store for the id of a person: what is left after an erasure, and whether that is allowed.

It depends on no context's tables: it reads the database catalogs, so that no column can be forgotten.
"""

import re
from collections.abc import Iterator
from functools import cache

from django.apps import apps
from django.conf import settings
from django.db import connections
from django.db.backends.utils import CursorWrapper

from socialapp.contracts.erasure_audit import AuditFinding, ErasureAudit
from socialapp.core.cache import redis_client
from socialapp.core.contexts import CONTEXTS
from socialapp.core.db import Gone, RemoteKey, empty_write_ahead_log
from socialapp.rpc.calls import client

_NUMBERS = frozenset({"BigIntegerField", "BigAutoField", "PositiveBigIntegerField"})
_TEXTS = frozenset({"CharField", "TextField", "JSONField"})
# Tables of tombstones, which keep late events from restoring anything.
_TOMBSTONE_TABLE = re.compile(r"(^|_)(gone|erased|erased_users|tombstones?)$")
# (table, column) → why the id may stay there.
_TOMBSTONES = {
    ("users", "id"): "tombstone",
    ("users", "username"): "tombstone",
    ("users", "username_key"): "tombstone",
    ("erasures", "user_id"): "the erasure itself",
    ("bus_outbox", "subject"): "ids of past events; pruned by age",
    ("bus_outbox", "envelope"): "ids of past events; pruned by age",
}


class ContextErasureAudit:
    """The `ErasureAudit` contract for one context."""

    def __init__(self, context: str) -> None:
        self.context = context

    def find(self, *, user_id: int) -> list[AuditFinding]:
        """See `ErasureAudit.find`."""
        index = _in_elasticsearch(user_id) if self.context == "search" else ()
        return [*_in_database(self.context, user_id), *index]


def audit_erasure(user_id: int) -> list[AuditFinding]:
    """Everything with the id in all contexts' stores, wherever they are served. Not for requests."""
    found = [residue for name in CONTEXTS for residue in client(ErasureAudit, context=name).find(user_id=user_id)]
    return [*found, *_in_redis(user_id)]


def _in_database(alias: str, user_id: int) -> Iterator[AuditFinding]:
    if not empty_write_ahead_log(alias):
        yield AuditFinding(store=alias, place="write-ahead log, which is in use: ask again", count=1, expected="")
    with connections[alias].cursor() as cursor:
        for table in connections[alias].introspection.table_names(cursor):
            for column, is_number in _columns(alias, cursor, table):
                count = _count(alias, cursor, table, column, user_id, is_number=is_number)
                if count:
                    yield AuditFinding(
                        store=alias, place=f"{table}.{column}", count=count, expected=_reason(table, column)
                    )


def _columns(alias: str, cursor: CursorWrapper, table: str) -> Iterator[tuple[str, bool]]:
    introspection = connections[alias].introspection
    for description in introspection.get_table_description(cursor, table):
        try:
            kind = str(introspection.get_field_type(description.type_code, description))
        except KeyError:
            # Columns without a type, as in full-text tables, contain text.
            kind = "TextField"
        if kind in _NUMBERS or kind in _TEXTS:
            yield description.name, kind in _NUMBERS


def _count(alias: str, cursor: CursorWrapper, table: str, column: str, user_id: int, *, is_number: bool) -> int:
    quote = connections[alias].ops.quote_name
    condition, value = ("= %s", user_id) if is_number else ("LIKE %s", f"%{user_id}%")
    # Names come from the catalog and are quoted; values are parameters.
    statement = f"SELECT COUNT(*) FROM {quote(table)} WHERE {quote(column)} {condition}"  # noqa: S608
    cursor.execute(statement, [value])
    return int(cursor.fetchone()[0])


def _reason(table: str, column: str) -> str:
    if _TOMBSTONE_TABLE.search(table):
        return "tombstone"
    return _TOMBSTONES.get((table, column)) or ("kept on purpose" if (table, column) in _kept_columns() else "")


@cache
def _kept_columns() -> frozenset[tuple[str, str]]:
    """The columns that are declared to outlive what they refer to."""
    return frozenset(
        (model._meta.db_table, str(field.column))
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, RemoteKey) and field.gone is Gone.KEEP
    )


def _in_redis(user_id: int) -> Iterator[AuditFinding]:
    pattern = f"{settings.REDIS_PREFIX}*{user_id}*"
    keys = [key.decode(errors="replace") for key in redis_client().scan_iter(match=pattern, count=1000)]
    left = [key for key in keys if not key.removeprefix(settings.REDIS_PREFIX).startswith("rate:")]
    if left:
        yield AuditFinding(store="redis", place=", ".join(sorted(left)[:10]), count=len(left), expected="")


def _in_elasticsearch(user_id: int) -> Iterator[AuditFinding]:
    if not settings.ELASTICSEARCH_URL:
        return
    import httpx

    wanted = [
        {"multi_match": {"query": str(user_id), "fields": ["*"], "lenient": True}},
        {"ids": {"values": [str(user_id)]}},
    ]
    indexes = f"{settings.ELASTICSEARCH_URL.rstrip('/')}/{settings.ELASTICSEARCH_PREFIX}*"
    httpx.post(f"{indexes}/_refresh", timeout=10).raise_for_status()
    answer = httpx.post(f"{indexes}/_count", json={"query": {"bool": {"should": wanted}}}, timeout=10)
    answer.raise_for_status()
    if count := int(answer.json()["count"]):
        yield AuditFinding(store="elasticsearch", place=f"{settings.ELASTICSEARCH_PREFIX}*", count=count, expected="")
