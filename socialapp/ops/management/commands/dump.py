"""`manage.py dump FILE`: writes all users, follows, posts, comments and reactions as JSON Lines."""

import json
import os
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from socialapp.contracts.bulk import KINDS
from socialapp.ops.bulk import export_records


class Command(BaseCommand):
    """The file holds e-mail addresses and password hashes, so only its owner may read it (mode 0600)."""

    help = "Write all users, follows, posts, comments and reactions to a JSON Lines file. Format: docs/records.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, or - for standard output."""
        parser.add_argument("file", help="where to write; - is standard output")
        parser.add_argument("--kind", action="append", choices=list(KINDS), help="only these kinds (repeatable)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Writes beside the target and moves the file there when it is complete."""
        kinds = options["kind"] or list(KINDS)
        if options["file"] == "-":
            self._write(sys.stdout, kinds)
            return
        path = Path(options["file"])
        partial = path.with_name(path.name + ".partial")
        try:
            partial.unlink(missing_ok=True)
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                self._write(file, kinds)
            partial.replace(path)
        except OSError as error:
            raise CommandError(f"cannot write {path}: {error.strerror}") from None
        finally:
            partial.unlink(missing_ok=True)

    def _write(self, file: Any, kinds: list[str]) -> None:
        until = datetime.now(UTC)
        with tqdm(unit=" records", desc="dump", file=sys.stderr, disable=None) as bar:
            for kind in kinds:
                for record in export_records(kind, until=until):
                    file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
                    bar.update()
