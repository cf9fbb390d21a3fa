"""Fills an empty table with millions of rows in a single stream, with bounded memory."""

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import connections, router
from django.db.models import Model

from socialapp.core.db import atomic
from socialapp.core.sql import insert

_ROWS_A_WRITE = 2000
# The product's texts have no control characters, so these two need no escaping.
_FIELD_END, _LINE_END = "\x1f", "\x1e"

Row = tuple[int | str | None, ...]


def fill_table(
    model: type[Model], *, columns: Sequence[str], rows: Iterable[Row], same: Mapping[str, Any] | None = None
) -> int:
    """Writes rows in one transaction and returns how many. The table should be empty.

    `columns` names the attributes that rows contain, with times as text in UTC; `same` gives those that are the same in
    all rows. The others get their defaults. MariaDB and MySQL read the rows with LOAD DATA if the server permits it;
    MariaDB then builds the indexes of an empty table by sorting.
    """
    alias = router.db_for_write(model)
    connection = connections[alias]
    fields = {field.attname: field for field in model._meta.concrete_fields}
    given = {**{name: field.get_default() for name, field in fields.items() if name not in columns}, **(same or {})}
    values = {name: fields[name].get_db_prep_save(value, connection) for name, value in given.items()}
    target = _Target(
        alias,
        table=model._meta.db_table,
        columns=[str(fields[name].column) for name in columns],
        nullable=[fields[name].null for name in columns],
        same={str(fields[name].column): value for name, value in values.items()},
    )
    return _load(target, rows) if connection.vendor == "mysql" and _loads(alias) else _insert(model, target, rows)


@dataclass(frozen=True, slots=True)
class _Target:
    """The table to fill: the columns that rows contain, which of them are nullable, and the values common to all
    rows."""

    alias: str
    table: str
    columns: Sequence[str]
    nullable: Sequence[bool]
    same: Mapping[str, Any]


def _loads(alias: str) -> bool:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.local_infile")
        return bool(cursor.fetchone()[0])


def _insert(model: type[Model], target: _Target, rows: Iterable[Row]) -> int:
    same, written = tuple(target.same.values()), 0

    def whole() -> Iterator[Row]:
        nonlocal written
        for row in rows:
            written += 1
            yield *row, *same

    with atomic(target.alias):
        insert(target.alias, model=model, columns=[*target.columns, *target.same], rows=whole())
    return written


def _load(target: _Target, rows: Iterable[Row]) -> int:
    reading, writing = os.pipe()
    source = _Source(writing, rows)
    sql = _load_statement(target, path=f"/dev/fd/{reading}")
    loading = connections[target.alias].copy()
    loading.settings_dict = {
        **loading.settings_dict,
        "OPTIONS": {**loading.settings_dict["OPTIONS"], "local_infile": True},
    }
    try:
        with loading.cursor() as cursor:
            # The rows are known to refer to each other correctly; MariaDB sorts keys that it need not check one by one.
            cursor.execute("SET SESSION unique_checks = 0, foreign_key_checks = 0")
            source.start()
            cursor.execute(sql, list(target.same.values()))
            loaded = int(cursor.rowcount)
    finally:
        os.close(reading)
        loading.close()
        source.end()
    if loaded != source.written:
        raise ValueError(f"{target.table} took {loaded} of {source.written} rows")
    return loaded


def _load_statement(target: _Target, *, path: str) -> str:
    """Empty fields of nullable columns become NULL."""
    quote = connections[target.alias].ops.quote_name
    names = list(map(quote, target.columns))
    nullable = [place for place, may_lack in enumerate(target.nullable) if may_lack]
    read_as = [f"@v{place}" if place in nullable else name for place, name in enumerate(names)]
    settings = [f"{names[place]} = NULLIF(@v{place}, '')" for place in nullable]
    settings += [f"{quote(name)} = %s" for name in target.same]
    return (
        f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE {quote(target.table)} CHARACTER SET utf8mb4"
        f" FIELDS TERMINATED BY 0x1F ESCAPED BY '' LINES TERMINATED BY 0x1E ({', '.join(read_as)})"
    ) + (f" SET {', '.join(settings)}" if settings else "")


class _Source:
    """Writes rows into a pipe, in a thread of its own."""

    def __init__(self, writing: int, rows: Iterable[Row]) -> None:
        self.written = 0
        self._writing = writing
        self._rows = iter(rows)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="rows")

    def start(self) -> None:
        """Starts writing."""
        self._thread.start()

    def end(self) -> None:
        """Waits until everything is written or the reader is gone; raises what the rows raised."""
        if self._thread.ident is None:
            os.close(self._writing)
            return
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            with os.fdopen(self._writing, "w", encoding="utf-8", newline="") as pipe:
                for text, number in _texts(self._rows):
                    pipe.write(text)
                    self.written += number
        except BrokenPipeError:
            pass  # the server has rejected the rows, which the caller reports
        except BaseException as error:
            self._failure = error


def _texts(rows: Iterator[Row]) -> Iterator[tuple[str, int]]:
    """Batches of rows in the format of LOAD DATA, each with its number of rows."""
    while some := list(islice(rows, _ROWS_A_WRITE)):
        template = _FIELD_END.join(["%s"] * len(some[0])) + _LINE_END
        yield "".join([template % (_without_none(row) if None in row else row) for row in some]), len(some)


def _without_none(row: Row) -> Row:
    return tuple("" if value is None else value for value in row)
