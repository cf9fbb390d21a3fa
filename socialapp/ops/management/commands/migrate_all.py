"""`manage.py migrate_all`: migrates every served context, each in its own database."""

import fcntl
import os
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections
from django.db.migrations.executor import MigrationExecutor

from socialapp.core.contexts import served

_LOCK_NAME = 64  # the longest that MySQL allows


def pending_migrations(alias: str) -> list[str]:
    """The migrations that the database of `alias` lacks, as app.name; empty if it is up to date."""
    executor = MigrationExecutor(connections[alias])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


@contextmanager
def migrating_alone(alias: str, *, on_wait: Callable[[], None]) -> Iterator[None]:
    """Holds a lock of the database of `alias`: two processes would run the same migration, and one leave it half done.

    Locked is the server's name for it, or the folder of an SQLite file. Calls `on_wait` while another process has it.
    """
    place = str(connections[alias].settings_dict["NAME"])
    if connections[alias].vendor == "sqlite":
        folder = os.open(Path(place).parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(folder, fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(folder)
        return
    with connections[alias].cursor() as cursor:
        name = f"migrate {place}"[:_LOCK_NAME]
        while cursor.execute("SELECT GET_LOCK(%s, 5)", [name]) and not cursor.fetchone()[0]:
            on_wait()
        try:
            yield
        finally:
            cursor.execute("SELECT RELEASE_LOCK(%s)", [name])


class Command(BaseCommand):
    """Migrates the databases that lack something; `--check` and `--plan` only report."""

    help = "Migrate the databases of all served contexts"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Options that only report."""
        parser.add_argument("--check", action="store_true", help="exit 1 when a database lacks migrations")
        parser.add_argument("--plan", action="store_true", help="print what would be done")

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrates one database after the other; those that are up to date cost one query."""
        missing = {context.name: self._pending(context.name) for context in served()}
        for alias, names in missing.items():
            if options["plan"] or options["check"]:
                self.stdout.write("\n".join(f"{alias}: {name}" for name in names), ending="\n" if names else "")
            elif names:
                self._migrate(alias, verbosity=options["verbosity"])
        if options["check"] and any(missing.values()):
            raise CommandError("some databases lack migrations: run manage.py migrate_all")

    def _migrate(self, alias: str, *, verbosity: int) -> None:
        def say() -> None:
            self.stderr.write(f"{alias}: waiting for another migrate_all")

        with migrating_alone(alias, on_wait=say):
            if self._pending(alias):  # what was missing may have been added while this process waited
                call_command("migrate", database=alias, interactive=False, verbosity=verbosity)

    def _pending(self, alias: str) -> list[str]:
        try:
            return pending_migrations(alias)
        except OperationalError as error:
            raise CommandError(f"the database of {alias} does not answer: {error}") from None
