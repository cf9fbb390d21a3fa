"""`manage.py lint_migrations`: checks that the previous release can run on the tables of this one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from socialapp.ops.migration_lint import findings


class Command(BaseCommand):
    """Needs no database."""

    help = "List migrations that break the previous release"
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit status 1 and a line for each problem."""
        if found := findings():
            raise CommandError("these migrations break the previous release (docs/deploying.md):\n" + "\n".join(found))
