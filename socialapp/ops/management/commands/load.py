"""`manage.py load FILE`: takes users, follows, posts, comments and reactions from JSON Lines."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from socialapp.ops.bulk import load_file


class Command(BaseCommand):
    """Loads what is good, sets the rest aside; can be interrupted and run again."""

    help = (
        "Load a JSON Lines file (format: docs/records.md). Bad lines go to FILE.rejected with number and reason; "
        "an interrupted load goes on where it was. Exit status 2 when lines were rejected."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and how to report."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--restart", action="store_true", help="from the beginning, not where the last load ended")
        parser.add_argument("--json", action="store_true", help="report as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Loads and reports."""
        path: Path = options["file"]
        try:
            size = path.stat().st_size
            with tqdm(total=size, unit="B", unit_scale=True, desc="load", file=sys.stderr, disable=None) as bar:
                loaded = load_file(path, on_progress=bar.update, restart=options["restart"])
        except OSError as error:
            raise CommandError(f"cannot use {error.filename or path}: {error.strerror}") from None
        if options["json"]:
            self.stdout.write(json.dumps({"loaded": loaded.taken, "rejected": loaded.rejected}))
        else:
            taken = ", ".join(f"{count} {kind}s" for kind, count in loaded.taken.items() if count)
            self.stdout.write(f"loaded {taken or 'nothing'}; rejected {loaded.rejected} lines")
        if loaded.rejected:
            raise CommandError(f"{loaded.rejected} lines were rejected: see {path}.rejected", returncode=2)
