"""`manage.py lint_migrations`: whether the previous release can run on the tables of this one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from socialapp.ops.migration_lint import findings


class Command(BaseCommand):
    """Needs no database."""

    help = "List the migrations that the previous release cannot run with"
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit status 1 and a line for each problem."""
        if found := findings():
            raise CommandError("the release before cannot live with this (docs/deploying.md):\n" + "\n".join(found))
