"""`manage.py dump FILE`: writes all users, follows, posts, comments and reactions as JSON Lines."""

import json
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
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
        """Writes a complete file or none; into a device or a pipe, as it comes."""
        kinds = options["kind"] or list(KINDS)
        if options["file"] == "-":
            self._write(sys.stdout, kinds)
            return
        path = Path(options["file"])
        try:
            if path.exists() and not path.is_file():  # a device or a pipe, which must not be replaced
                with path.open("w", encoding="utf-8") as file:
                    self._write(file, kinds)
            else:
                self._replace(path.resolve(), kinds)
        except OSError as error:
            raise CommandError(f"cannot write {path}: {error.strerror}") from None

    def _replace(self, path: Path, kinds: list[str]) -> None:
        with NamedTemporaryFile(
            "w", dir=path.parent, prefix=f"{path.name}.", suffix=".partial", encoding="utf-8", delete=False
        ) as file:
            partial = Path(file.name)
            try:
                self._write(file, kinds)
                file.close()
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)

    def _write(self, file: Any, kinds: list[str]) -> None:
        until = datetime.now(UTC)
        with tqdm(unit=" records", desc="dump", file=sys.stderr, disable=None) as bar:
            for kind in kinds:
                for record in export_records(kind, until=until):
                    file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
                    bar.update()
