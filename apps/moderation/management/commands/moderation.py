"""`manage.py moderation verify_log`: proves that the log of actions is whole."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from apps.moderation.queries import check_log


class Command(BaseCommand):
    """Checks moderation's records."""

    help = "verify_log: proves that no entry of the log of actions was changed, removed or slipped in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What is to be done."""
        parser.add_argument("what", choices=["verify_log"])

    def handle(self, *, what: str, **options: object) -> None:
        """Prints what was found; the command fails when something is wrong."""
        check = check_log()
        for problem in check.problems:
            self.stderr.write(problem)
        self.stdout.write(f"{check.entries} entries, {check.redacted} of them without the traces of erased people")
        if check.problems:
            raise CommandError("the log of actions is broken")
        self.stdout.write("the log of actions is whole")
