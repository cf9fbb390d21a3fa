"""Queries written in SQL, for what nearly every request asks.

The ORM takes several times as long to phrase such a query and to convert its rows as the database takes to answer it.
"""

from collections.abc import Sequence, Sized
from datetime import UTC, datetime
from typing import Any, cast

from django.db import connections, router
from django.db.models import Model


def select(model: type[Model], sql: str, values: Sequence[str | int | None]) -> list[tuple[Any, ...]]:
    """The rows of a query on the tables beside `model`, from where that is read; values as drivers give them."""
    with connections[router.db_for_read(model)].cursor() as cursor:
        cursor.execute(sql, values)
        return cast(list[tuple[Any, ...]], cursor.fetchall())


def places(values: Sized) -> str:
    """Placeholders for the values of an IN (…)."""
    return ",".join(["%s"] * len(values))


def moment_of(value: datetime | str) -> datetime:
    """A time as drivers give it: UTC without saying so, and SQLite's as text."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC)
