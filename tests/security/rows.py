"""Counts rows, to check that a refused request has written nothing."""

from functools import lru_cache

from django.apps import apps
from django.db import connections

from tests.conftest import ALL_CONTEXTS


def row_counts() -> dict[str, int]:
    """The number of rows in each table, including the outbox."""
    counts = {}
    for alias in ALL_CONTEXTS:
        with connections[alias].cursor() as cursor:
            for model in apps.get_models():
                table = model._meta.db_table
                if table in _tables(alias):
                    cursor.execute(f"SELECT COUNT(*) FROM {connections[alias].ops.quote_name(table)}")
                    counts[f"{alias}.{table}"] = cursor.fetchone()[0]
    return counts


@lru_cache
def _tables(alias: str) -> frozenset[str]:
    return frozenset(connections[alias].introspection.table_names())
