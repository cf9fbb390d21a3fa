"""`manage.py serve ROLE`: one role in this process, for servers and containers."""

import gc
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from socialapp.roles import ROLES


class Command(BaseCommand):
    """Runs one role until SIGTERM or Ctrl-C; logs go to stderr, one JSON object a line."""

    help = "Run one role: " + ", ".join(
        f"{name} ({(run.__doc__ or '').splitlines()[0]})" for name, run in ROLES.items()
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One role."""
        parser.add_argument("role", choices=list(ROLES))

    def handle(self, *args: Any, **options: Any) -> None:
        """Serves; what was loaded so far is kept out of the garbage collector's way, for roles that fork."""
        gc.collect()
        gc.freeze()
        ROLES[options["role"]]()
