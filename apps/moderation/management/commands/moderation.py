"""`manage.py moderation`: verifies, signs and exports the log of decisions."""

from argparse import ArgumentParser

import orjson
from django.core.management.base import BaseCommand, CommandError

from apps.moderation import actions
from apps.moderation.presenters import statement_bodies
from apps.moderation.queries import log


class Command(BaseCommand):
    """Verifies and exports moderation's log."""

    help = (
        "verify_log: verifies that no entry of the log was changed, removed or inserted, also against the signed heads."
        " sign_log: signs its head now. export_log: statements of reasons as JSON Lines."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The subcommands."""
        parser.add_argument("what", choices=["verify_log", "sign_log", "export_log"])
        parser.add_argument("--after", type=int, default=0, help="export_log: the last sequence already exported")

    def handle(self, *, what: str, after: int, **options: object) -> None:
        """Runs the subcommand; verify_log fails if something is wrong."""
        if what == "export_log":
            self._export(after)
        elif what == "sign_log":
            self.stdout.write("signed" if actions.sign_head() else "nothing was added since the last signature")
        else:
            self._verify()

    def _export(self, after: int) -> None:
        for statement in statement_bodies(log.log_after(after)):
            self.stdout.write(orjson.dumps(statement).decode())

    def _verify(self) -> None:
        check = log.check_log()
        for problem in check.problems:
            self.stderr.write(problem)
        self.stdout.write(f"{check.entries} entries, {check.redacted} of them redacted for erased people")
        self.stdout.write(f"{check.signatures} signed heads, public key {log.public_key()}")
        if check.problems:
            raise CommandError("the log of actions is broken")
        self.stdout.write("the log of actions is whole")
