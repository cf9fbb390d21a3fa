"""`manage.py restore DIR`: fills the databases of all contexts from a backup."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from socialapp.ops.backups import BackupError, restore_backup


class Command(BaseCommand):
    """Checks every file first; stop the application's processes before running it."""

    help = (
        "Fill the databases of all served contexts from a folder that `backup` wrote. Stop all processes first; "
        "afterwards empty Redis and the broker, start again, and run `search reindex`."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folder, and how to report."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("--force", action="store_true", help="replace what the databases hold")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print the rows of every table")

    def handle(self, *args: Any, **options: Any) -> None:
        """Restores and prints what to do next."""
        try:
            with tqdm(unit="B", unit_scale=True, desc="restore", file=sys.stderr, disable=None) as bar:
                restored = restore_backup(options["folder"], force=options["force"], on_bytes=bar.update)
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from None
        if options["as_json"]:
            self.stdout.write(json.dumps(restored))
            return
        rows = sum(sum(tables.values()) for tables in restored.values())
        self.stdout.write(
            f"restored {rows} rows of {len(restored)} contexts\n"
            "next: empty Redis and the broker, put back uploads and secrets, run migrate_all, start, run search reindex"
        )
