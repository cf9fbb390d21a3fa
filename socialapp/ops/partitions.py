"""Partitions by month: divides ever-growing tables with time-sortable ids by ranges of ids, so that months can be
dropped.

MySQL and MariaDB only. The last partition takes all newer rows, so that an insert never fails.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections

from socialapp.core.ids import first_id_at

AHEAD_MONTHS = 3
_LAST = "pmax"
_MOST_MONTHS_BACK = 240
_LOCK_SECONDS = 10  # a change that waits for a long transaction blocks everybody behind it
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Table:
    """A table that may be partitioned. `retention_setting` names the setting with the days to keep; without it, all
    are."""

    name: str
    context: str
    retention_setting: str = ""


TABLES = {table.name: table for table in (
    Table("posts", "posts"),
    Table("notifications", "notifications", "NOTIFICATIONS_RETENTION_DAYS"),
)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition, with ids below `less_than` (None: all further ones). Rows are the server's estimate."""

    name: str
    less_than: int | None
    rows: int
    bytes: int


class PartitionError(Exception):
    """Why a table cannot be partitioned, or a partition cannot be removed."""


def supports_partitions(table: Table) -> bool:
    """Whether the table's database supports partitions."""
    return connections[table.context].vendor == "mysql"


def partitions_of(table: Table) -> list[Partition]:
    """The partitions in order; none if the table is not partitioned."""
    rows = _query(
        table,
        "SELECT partition_name, partition_description, table_rows, data_length + index_length"
        " FROM information_schema.partitions WHERE table_schema = DATABASE() AND table_name = %s"
        " AND partition_name IS NOT NULL ORDER BY partition_ordinal_position",
        table.name,
    )
    return [
        Partition(name, None if str(limit).strip("()") == "MAXVALUE" else int(limit), int(rows or 0), int(size or 0))
        for name, limit, rows, size in rows
    ]


def obstacles(table: Table) -> list[str]:
    """What prevents the table from being partitioned: other unique keys, foreign keys from or to it."""
    unique = _query(
        table,
        "SELECT DISTINCT index_name FROM information_schema.statistics WHERE table_schema = DATABASE()"
        " AND table_name = %s AND non_unique = 0 AND index_name <> 'PRIMARY'",
        table.name,
    )
    foreign = _query(
        table,
        "SELECT constraint_name FROM information_schema.key_column_usage WHERE table_schema = DATABASE()"
        " AND referenced_table_name IS NOT NULL AND %s IN (table_name, referenced_table_name)",
        table.name,
    )
    return [f"unique key {name}" for (name,) in unique] + [f"foreign key {name}" for (name,) in foreign]


def init_statements(table: Table, *, today: date) -> list[str]:
    """The statements that partition a table; none if it is partitioned. They copy the table, and block writes
    meanwhile."""
    if partitions_of(table):
        return []
    if found := obstacles(table):
        raise PartitionError(f"{table.name} cannot be partitioned: {', '.join(found)}")
    ((oldest,),) = _query(table, f"SELECT MIN(id) FROM {table.name}")  # noqa: S608 (a name of ours)
    first = _oldest_month(oldest, today)
    months = list(_months(first, _months_after(_month(today), AHEAD_MONTHS)))
    return [f"ALTER TABLE {table.name} PARTITION BY RANGE (id) ({_definitions(months)})"]


def ahead_statements(table: Table, *, today: date, months: int = AHEAD_MONTHS) -> list[str]:
    """The statements that add missing partitions for the coming months; none if there are, or the table is not
    partitioned."""
    known = partitions_of(table)
    bounds = [partition.less_than for partition in known if partition.less_than is not None]
    if not known:
        return []
    until = _months_after(_month(today), months)
    missing = [month for month in _months(_month(today), until) if not bounds or _end_of(month) > max(bounds)]
    if not missing:
        return []
    if known[-1].less_than is not None:
        return [f"ALTER TABLE {table.name} ADD PARTITION ({_definitions(missing)})"]
    return [f"ALTER TABLE {table.name} REORGANIZE PARTITION {known[-1].name} INTO ({_definitions(missing)})"]


def run_statements(table: Table, *, statements: list[str]) -> None:
    """Changes the table; gives up after some seconds instead of blocking all reads and writes."""
    with connections[table.context].cursor() as cursor:
        cursor.execute(f"SET SESSION lock_wait_timeout = {_LOCK_SECONDS}")
        for statement in statements:
            cursor.execute(statement)


def add_ahead() -> int:
    """Adds coming partitions to every partitioned table of the served contexts; returns how many tables were
    changed."""
    changed = 0
    for table in TABLES.values():
        if table.context in settings.DATABASES and supports_partitions(table):
            statements = ahead_statements(table, today=datetime.now(UTC).date())
            run_statements(table, statements=statements)
            changed += bool(statements)
    return changed


def expired_partitions(table: Table, *, before: date | None, today: date) -> list[Partition]:
    """The partitions that lie entirely before the first of `before`'s month, or else before the table's retention."""
    if before is None:
        if not table.retention_setting:
            raise PartitionError(f"{table.name} has no retention: say until when, with --before YYYY-MM")
        days = getattr(settings, table.retention_setting)
        horizon = first_id_at(datetime(today.year, today.month, today.day, tzinfo=UTC) - timedelta(days=days))
    else:
        horizon = _start_of(_month(before))
    return [
        partition
        for partition in partitions_of(table)
        if partition.less_than is not None and partition.less_than <= horizon
    ]


def archive(table: Table, *, partition: Partition, folder: Path, on_rows: Callable[[int], object]) -> int:
    """Removes a partition from its table, writes its rows to a file in `folder` and drops it; returns the number of
    rows.

    The rows leave the table at one moment, so none is written after the export. The next run finishes an interrupted
    one (`archive_left_over`).
    """
    outside = f"{table.name}_out_{partition.name}"
    run_statements(
        table,
        statements=[
            f"CREATE TABLE {outside} LIKE {table.name}",
            f"ALTER TABLE {outside} REMOVE PARTITIONING",
            f"ALTER TABLE {table.name} EXCHANGE PARTITION {partition.name} WITH TABLE {outside}",
            f"ALTER TABLE {table.name} DROP PARTITION {partition.name}",
        ],
    )
    return _export_and_drop(table, outside, folder, on_rows)


def archive_left_over(table: Table, *, folder: Path, on_rows: Callable[[int], object]) -> list[tuple[str, int]]:
    """Exports what an interrupted run removed from the table but did not export: (name, rows) of each."""
    names = _query(
        table,
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name LIKE %s",
        f"{table.name}\\_out\\_%",
    )
    done = []
    for (outside,) in names:
        partition = outside.removeprefix(f"{table.name}_out_")
        _drop_emptied(table, outside, partition)
        done.append((partition, _export_and_drop(table, outside, folder, on_rows)))
    return done


def _drop_emptied(table: Table, outside: str, partition: str) -> None:
    """Drops the partition if its rows were exchanged out; a run that ended before that left all its rows in it."""
    taken_out = bool(_query(table, f"SELECT 1 FROM {outside} LIMIT 1"))  # noqa: S608
    if taken_out and any(known.name == partition for known in partitions_of(table)):
        run_statements(table, statements=[f"ALTER TABLE {table.name} DROP PARTITION {partition}"])


def _export_and_drop(table: Table, outside: str, folder: Path, on_rows: Callable[[int], object]) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{outside}.jsonl"
    count = 0
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        for row in _rows(table, outside):
            file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
            count += 1
            on_rows(1)
        file.flush()
        os.fsync(file.fileno())
    ((held,),) = _query(table, f"SELECT COUNT(*) FROM {outside}")  # noqa: S608
    if held != count:
        raise PartitionError(f"{outside} holds {held} rows and {count} were written: it was left in place")
    run_statements(table, statements=[f"DROP TABLE {outside}"])
    if not count:
        path.unlink()
    return count


def _rows(table: Table, outside: str) -> Iterator[dict[str, Any]]:
    last = -1
    while True:
        with connections[table.context].cursor() as cursor:
            cursor.execute(f"SELECT * FROM {outside} WHERE id > %s ORDER BY id LIMIT {_BATCH}", [last])  # noqa: S608
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
        if not rows:
            return
        yield from rows
        last = rows[-1]["id"]


def _query(table: Table, sql: str, *values: str) -> list[tuple[Any, ...]]:
    with connections[table.context].cursor() as cursor:
        cursor.execute(sql, values or None)
        return list(cursor.fetchall())


def _definitions(months: list[date]) -> str:
    parts = [f"PARTITION p{month:%Y_%m} VALUES LESS THAN ({_end_of(month)})" for month in months]
    return ", ".join([*parts, f"PARTITION {_LAST} VALUES LESS THAN MAXVALUE"])


def _oldest_month(oldest_id: int | None, today: date) -> date:
    """The month where the partitions begin; all older rows are in the first one."""
    farthest = _months_after(_month(today), -_MOST_MONTHS_BACK)
    if oldest_id is None:
        return _month(today)
    seconds = (oldest_id >> 16) / 1000
    return min(max(_month(datetime.fromtimestamp(seconds, UTC).date()), farthest), _month(today))


def _month(day: date) -> date:
    return day.replace(day=1)


def _months_after(month: date, count: int) -> date:
    years, index = divmod(month.year * 12 + month.month - 1 + count, 12)
    return date(years, index + 1, 1)


def _months(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first = _months_after(first, 1)


def _start_of(month: date) -> int:
    return first_id_at(datetime(month.year, month.month, 1, tzinfo=UTC))


def _end_of(month: date) -> int:
    return _start_of(_months_after(month, 1))
