"""`manage.py migrate_all`: migrates every served context, each in its own database."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections
from django.db.migrations.executor import MigrationExecutor

from socialapp.core.contexts import served


def pending_migrations(alias: str) -> list[str]:
    """The migrations that the database of `alias` lacks, as app.name; empty if it is up to date."""
    executor = MigrationExecutor(connections[alias])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


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
                call_command("migrate", database=alias, interactive=False, verbosity=options["verbosity"])
        if options["check"] and any(missing.values()):
            raise CommandError("some databases lack migrations: run manage.py migrate_all")

    def _pending(self, alias: str) -> list[str]:
        try:
            return pending_migrations(alias)
        except OperationalError as error:
            raise CommandError(f"the database of {alias} does not answer: {error}") from None
