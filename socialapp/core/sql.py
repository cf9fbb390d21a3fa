"""Statements in plain SQL, for what nearly every request reads and every event writes.

The ORM takes several times as long to build them and to convert their rows as the database takes to run them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import chain, islice
from typing import Any, TypeVar, cast

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.db.models.expressions import DatabaseDefault

_BATCH = 1000
_Model = TypeVar("_Model", bound=Model)
Value = str | int | datetime | None


def select(model: type[Model], *, sql: str, values: Sequence[Value]) -> list[tuple[Any, ...]]:
    """The rows of a query on the tables of `model`'s context, from where it is read; values as drivers return them."""
    return fetch(router.db_for_read(model), sql=sql, values=values)


def fetch(alias: str, *, sql: str, values: Sequence[Value]) -> list[tuple[Any, ...]]:
    """The rows of a query on one database; values as drivers return them."""
    connection: Any = connections[alias]
    direct = getattr(connection, "rows", None)
    rows = direct(sql, values) if direct else None
    if rows is None:
        with connection.cursor() as cursor:
            cursor.execute(sql, _adapted(connection, values))
            rows = cursor.fetchall()
    return cast(list[tuple[Any, ...]], rows)


def instances(
    model: type[_Model], *, condition: str, values: Sequence[Value], lock: bool = False, alias: str = ""
) -> list[_Model]:
    """The rows of a model's table that match a condition, as instances; locked until the end of the transaction if the
    database can. For tables of numbers, texts, times and booleans. `Manager.raw` takes four times as long.

    `alias` is for tables that every database has.
    """
    alias = alias or (router.db_for_write(model) if lock else router.db_for_read(model))
    chosen, names, convert = _columns(model, alias)
    rows = fetch(alias, sql=f"{chosen} WHERE {condition}{for_update(alias) if lock else ''}", values=values)
    return [model.from_db(alias, names, [one(value) for one, value in zip(convert, row, strict=True)]) for row in rows]


@cache
def _columns(model: type[Model], alias: str) -> tuple[str, list[str], list[Callable[[Any], Any]]]:
    quote = connections[alias].ops.quote_name
    fields = model._meta.concrete_fields
    columns = ", ".join(quote(str(field.column)) for field in fields)
    return (
        f"SELECT {columns} FROM {quote(model._meta.db_table)}",  # noqa: S608 (names of ours only)
        [field.attname for field in fields],
        [_CONVERTED.get(field.get_internal_type(), _as_it_is) for field in fields],
    )


def execute(alias: str, *, sql: str, values: Sequence[Any]) -> int:
    """Runs one statement that writes to one database, in the caller's transaction; returns how many rows it matched."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute(sql, _adapted(connection, values))
        return int(cursor.rowcount)


def _adapted(connection: BaseDatabaseWrapper, values: Iterable[Any]) -> list[Any]:
    """The values with times as the database takes them."""
    adapt = connection.ops.adapt_datetimefield_value
    return [adapt(value) if isinstance(value, datetime) else value for value in values]


def insert(
    alias: str,
    *,
    model: type[Model],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    on_clash: str = "",
    returning: Sequence[str] = (),
) -> list[tuple[Any, ...]]:
    """Adds rows to a model's table on one database: every column must be named, as no default is filled in.

    One statement per thousand rows, in the caller's transaction. IntegrityError if one exists already. Returns the
    columns in `returning` of the rows that are there now; nothing if the database cannot, like MySQL, or, like SQLite,
    for those that `on_clash` left as they were.
    """
    connection: Any = connections[alias]
    quote = connection.ops.quote_name
    direct = getattr(connection, "insert", None)
    names = ", ".join(map(quote, columns))
    head = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES "  # noqa: S608 (names of ours only)
    tail, returned = on_clash, list[tuple[Any, ...]]()
    if returning and connection.features.can_return_columns_from_insert:
        tail += f" RETURNING {', '.join(map(quote, returning))}"
    rows = iter(rows)
    while some := list(islice(rows, _BATCH)):
        found = direct(head, some, tail) if direct else None
        if found is None:
            with connection.cursor() as cursor:
                values = _adapted(connection, chain.from_iterable(some))
                cursor.execute(head + ", ".join([f"({placeholders(columns)})"] * len(some)) + tail, values)
                found = cursor.fetchall()
        returned += found
    return returned


def insert_instances(
    alias: str, *, instances: Sequence[Model], on_clash: str = "", returning: Sequence[str] = ()
) -> list[tuple[Any, ...]]:
    """Adds unsaved instances of one model, with the defaults that they were created with: see `insert`.

    What the first one leaves to a database default, all of them must leave to it.
    """
    if not instances:
        return []
    first, model = instances[0], type(instances[0])
    names = [field.attname for field in model._meta.concrete_fields]
    columns = [name for name in names if not isinstance(getattr(first, name), DatabaseDefault)]
    rows = ([getattr(instance, name) for name in columns] for instance in instances)
    return insert(alias, model=model, columns=columns, rows=rows, on_clash=on_clash, returning=returning)


def add(
    model: type[Model],
    *,
    additions: Mapping[tuple[Any, ...], Sequence[int]],
    key: Sequence[str],
    numbers: Sequence[str],
    **replaced: Any,
) -> None:
    """Adds to numbers in rows with a unique key, inserts the rows that are missing, and sets the columns in `replaced`.

    One statement per thousand rows: with two, a read and a write, TiDB loses additions. In key order, so that two of
    these at once take their locks in the same order. The ORM can replace on a clash, but not add.
    """
    alias, pk = router.db_for_write(model), model._meta.pk
    made = [pk.attname] if pk.has_default() and pk.attname not in key else []
    rows = ([*(pk.get_default() for _ in made), *row, *additions[row], *replaced.values()] for row in sorted(additions))
    insert(
        alias,
        model=model,
        columns=[*made, *key, *numbers, *replaced],
        rows=rows,
        on_clash=on_clash(alias, key=key, added=numbers, replaced=[*replaced]),
    )


def on_clash(alias: str, *, key: Sequence[str], added: Sequence[str] = (), replaced: Sequence[str] = ()) -> str:
    """The end of an INSERT whose rows may exist already, by a unique key: they stay as they are, except that the
    columns in `added` are increased and those in `replaced` are set."""
    quote = connections[alias].ops.quote_name
    is_mysql = connections[alias].vendor == "mysql"
    new = "VALUES({})" if is_mysql else "excluded.{}"
    changes = [f"{name} = {name} + {new.format(name)}" for name in map(quote, added)]
    changes += [f"{name} = {new.format(name)}" for name in map(quote, replaced)]
    if is_mysql:
        return f" ON DUPLICATE KEY UPDATE {', '.join(changes) or f'{quote(key[0])} = {quote(key[0])}'}"
    action = f"UPDATE SET {', '.join(changes)}" if changes else "NOTHING"
    return f" ON CONFLICT ({', '.join(map(quote, key))}) DO {action}"


def delete(model: type[Model], *, ids: Sequence[int], returning: Sequence[str]) -> list[tuple[Any, ...]]:
    """Deletes rows by id; returns these columns of those that were there. One statement, or two for databases that
    cannot return them, like MySQL. The caller holds the transaction."""
    if not ids:
        return []
    alias = router.db_for_write(model)
    quote = connections[alias].ops.quote_name
    rows = f"FROM {quote(model._meta.db_table)} WHERE id IN ({placeholders(ids)})"
    columns = ", ".join(map(quote, returning))
    if connections[alias].features.can_return_columns_from_insert:
        return fetch(alias, sql=f"DELETE {rows} RETURNING {columns}", values=ids)
    found = fetch(alias, sql=f"SELECT {columns} {rows}{for_update(alias)}", values=ids)
    execute(alias, sql=f"DELETE {rows}", values=ids)
    return found


def for_update(alias: str) -> str:
    """The end of a SELECT that locks its rows until the transaction ends; empty if the database cannot."""
    return " FOR UPDATE" if connections[alias].features.has_select_for_update else ""


def placeholders(values: Sized) -> str:
    """Placeholders for the values of an IN (…)."""
    return ",".join(["%s"] * len(values))


@lru_cache(maxsize=4096)  # as `rfc3339`: replacing a time's zone takes ten times as long as a cache hit
def as_utc(value: datetime | str) -> datetime:
    """A time as drivers return it: UTC but without a time zone, and text from SQLite."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC)


def _as_it_is(value: Any) -> Any:
    return value


# Types whose values drivers return in another form than fields do.
_CONVERTED: dict[str, Callable[[Any], Any]] = {
    "DateTimeField": lambda value: value and as_utc(value),
    "BooleanField": lambda value: value if value is None else bool(value),
}
