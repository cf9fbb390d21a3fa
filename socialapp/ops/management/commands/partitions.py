"""`manage.py partitions`: partitions posts and notifications by month, to keep tables fast and drop old months."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from socialapp.ops import partitions
from socialapp.ops.partitions import TABLES, Table

_MOST_MONTHS = 120  # every statement opens the partitions that it cannot rule out


class Command(BaseCommand):
    """Lists, creates, adds and removes partitions; `--dry-run` only prints what would be done."""

    help = (
        "Partition the tables of posts and notifications by month (MySQL, MariaDB). status: list them; init:"
        " partition a table (copies it); ahead: add the coming months (also done daily); archive: write old months to"
        " files and drop them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do, and to which table."""
        parser.add_argument("action", choices=["status", "init", "ahead", "archive"])
        parser.add_argument("--table", choices=list(TABLES), action="append", help="only this one (repeatable)")
        parser.add_argument(
            "--months", type=_number_of_months, default=partitions.AHEAD_MONTHS, help="ahead: how many, 1 to 120"
        )
        parser.add_argument("--before", type=_month, help="archive: whole months before this one (YYYY-MM)")
        parser.add_argument("--into", type=Path, help="archive: folder of the files (DATA_DIR/archive)")
        parser.add_argument("--yes", action="store_true", help="archive: posts too, which cannot be restored")
        parser.add_argument("--dry-run", action="store_true", help="print what would be done")
        parser.add_argument("--json", action="store_true", dest="as_json", help="report as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Handles one table after the other."""
        actions: dict[str, Callable[[Table, dict[str, Any]], Any]] = {
            "status": self._status,
            "init": self._init,
            "ahead": self._ahead,
            "archive": self._archive,
        }
        report: dict[str, Any] = {}
        for name in options["table"] or TABLES:
            table = TABLES[name]
            if table.context not in settings.DATABASES:
                continue
            if not partitions.supports_partitions(table):
                report[name] = "no partitions in SQLite, and none needed"
                continue
            try:
                report[name] = actions[options["action"]](table, options)
            except (partitions.PartitionError, DatabaseError) as error:
                raise CommandError(f"{name}: {error}") from None
        if options["as_json"]:
            self.stdout.write(json.dumps(report, indent=2))
        else:
            self._report(report)

    def _status(self, table: Table, options: dict[str, Any]) -> Any:
        return [asdict(partition) for partition in partitions.partitions_of(table)] or "not partitioned"

    def _init(self, table: Table, options: dict[str, Any]) -> Any:
        statements = partitions.init_statements(table, today=_today())
        return self._run(table, statements, options) or "partitioned already"

    def _ahead(self, table: Table, options: dict[str, Any]) -> Any:
        if not partitions.partitions_of(table):
            return "not partitioned: run init first"
        statements = partitions.ahead_statements(table, today=_today(), months=options["months"])
        return self._run(table, statements, options) or "nothing to add"

    def _run(self, table: Table, statements: list[str], options: dict[str, Any]) -> list[str]:
        if not options["dry_run"]:
            partitions.run_statements(table, statements=statements)
        return statements

    def _archive(self, table: Table, options: dict[str, Any]) -> Any:
        if not table.retention_setting and (options["before"] is None or not (options["yes"] or options["dry_run"])):
            return "kept: give --before YYYY-MM and --yes to take months of it out for good"
        folder = options["into"] or Path(settings.DATA_DIR) / "archive"
        if options["dry_run"]:
            expired = partitions.expired_partitions(table, before=options["before"], today=_today())
            return [asdict(partition) for partition in expired] or "nothing to archive"
        with tqdm(unit=" rows", desc=table.name, file=sys.stderr, disable=None) as bar:
            done = partitions.archive_left_over(table, folder=folder, on_rows=bar.update)
            for partition in partitions.expired_partitions(table, before=options["before"], today=_today()):
                done.append(
                    (partition.name, partitions.archive(table, partition=partition, folder=folder, on_rows=bar.update))
                )
        found = [{"name": name, "rows": rows, "folder": str(folder)} for name, rows in done]
        return found or "nothing to archive"

    def _report(self, report: dict[str, Any]) -> None:
        for name, found in report.items():
            if isinstance(found, str):
                self.stdout.write(f"{name}: {found}")
                continue
            for item in found:
                text = item if isinstance(item, str) else " ".join(f"{key}={value}" for key, value in item.items())
                self.stdout.write(f"{name}: {text}")


def _today() -> date:
    return datetime.now(UTC).date()


def _number_of_months(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= _MOST_MONTHS):
        raise ArgumentTypeError(f"{text!r} is not a number from 1 to {_MOST_MONTHS}")
    return int(text)


def _month(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a month, such as 2026-01") from None
