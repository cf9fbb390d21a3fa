"""`manage.py load FILE`: loads records from JSON Lines, or the archive of a data export into an account here."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from socialapp.contracts.auth import Auth
from socialapp.core.errors import NotFound
from socialapp.ops.archives import BadArchive, LoadedArchive, archive_bytes, load_archive
from socialapp.ops.bulk import load_file
from socialapp.rpc.calls import client


class Command(BaseCommand):
    """Loads the good lines and sets the others aside; can be interrupted and run again."""

    help = (
        "Load a JSON Lines file (format: docs/records.md). Bad lines go to FILE.rejected with number and reason; "
        "an interrupted load continues where it stopped. Exit status 2 when lines were rejected. With --user: load the "
        "archive of an export into that account: profile, posts, comments on posts that are here, follows by name."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, its account, and how to report."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--restart", action="store_true", help="start over, not where the last load ended")
        parser.add_argument("--user", metavar="NAME", help="the file is an archive: the account to load it into")
        parser.add_argument("--dry-run", action="store_true", help="with an archive: only count what would be loaded")
        parser.add_argument("--json", action="store_true", help="report as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Loads and reports."""
        path: Path = options["file"]
        try:
            if options["user"] is not None:
                self._load_archive(path, options)
            elif options["dry_run"]:
                raise CommandError("--dry-run is for archives: name the account with --user")
            else:
                self._load_records(path, options)
        except OSError as error:
            raise CommandError(f"cannot use {error.filename or path}: {error.strerror}") from None

    def _load_records(self, path: Path, options: dict[str, Any]) -> None:
        with _bar(path.stat().st_size) as bar:
            loaded = load_file(path, on_progress=bar.update, restart=options["restart"])
        if options["json"]:
            self.stdout.write(json.dumps({"loaded": loaded.taken, "rejected": loaded.rejected}))
        else:
            taken = ", ".join(f"{count} {kind}s" for kind, count in loaded.taken.items() if count)
            self.stdout.write(f"loaded {taken or 'nothing'}; rejected {loaded.rejected} lines")
        if loaded.rejected:
            raise CommandError(f"{loaded.rejected} lines were rejected: see {path}.rejected", returncode=2)

    def _load_archive(self, path: Path, options: dict[str, Any]) -> None:
        path.stat()
        user_id = _account(options["user"])
        try:
            with _bar(archive_bytes(path)) as bar:
                loaded = load_archive(path, user_id=user_id, dry_run=options["dry_run"], on_progress=bar.update)
        except BadArchive as error:
            raise CommandError(str(error)) from None
        except NotFound as problem:
            raise CommandError(problem.detail) from None
        self._report(loaded, as_json=options["json"], dry_run=options["dry_run"])

    def _report(self, loaded: LoadedArchive, *, as_json: bool, dry_run: bool) -> None:
        counts = {"posts": loaded.posts, "comments": loaded.comments, "followed": loaded.followed}
        if as_json:
            self.stdout.write(json.dumps({**counts, "left_out": dict(loaded.left_out), "dry_run": dry_run}))
            return
        said = f"{loaded.posts} posts and {loaded.comments} comments, {loaded.followed} people followed or asked"
        self.stdout.write(f"would load {said}" if dry_run else f"loaded {said}")
        for reason, count in loaded.left_out.most_common():
            self.stdout.write(f"left out {count}: {reason}")


def _bar(total: int) -> "tqdm[Any]":
    return tqdm(total=total, unit="B", unit_scale=True, desc="load", file=sys.stderr, disable=None)


def _account(name: str) -> int:
    found = client(Auth).users_by_username(usernames=[name])
    if not found:
        raise CommandError(f"there is no account with the username {name}")
    return found[0].id
