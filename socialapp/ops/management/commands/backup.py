"""`manage.py backup DIR`: the databases of all contexts as of one moment, while the application keeps running."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from socialapp.lifecycle.runs import BACKUP, record_run
from socialapp.ops.backups import BackupError, media_folder, take_backup


class Command(BaseCommand):
    """The files hold everything that users have entrusted to the installation: they get mode 0600; keep it."""

    help = (
        "Write the databases of all served contexts, as of one moment, into an empty folder. Media files, secrets and "
        "the search index are not in it: see docs/growing.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folder, and how to report."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("--json", action="store_true", dest="as_json", help="print the manifest")

    def handle(self, *args: Any, **options: Any) -> None:
        """Takes the backup and prints what is in it."""
        folder: Path = options["folder"]
        try:
            with tqdm(unit="B", unit_scale=True, desc="backup", file=sys.stderr, disable=None) as bar:
                manifest = take_backup(folder, on_bytes=bar.update)
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from None
        record_run(BACKUP)
        if options["as_json"]:
            self.stdout.write(json.dumps(manifest))
            return
        rows = sum(sum(part["rows"].values()) for part in manifest["contexts"].values())
        size = sum(part["bytes"] for part in manifest["contexts"].values())
        self.stdout.write(
            f"{rows} rows of {len(manifest['contexts'])} contexts in {size} bytes, as of {manifest['cut_at']}\n"
            f"not in it: secrets (secrets.env or your environment), and uploads ({media_folder()} or your bucket)"
        )
