"""`manage.py erasure status ID|verify ID|verify FILE`: progress of an erasure, and whether anything is left."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.auth import actions, queries
from socialapp.core.errors import Invalid, NotFound
from socialapp.core.json import rfc3339
from socialapp.lifecycle.erasure_audit import audit_erasure


class Command(BaseCommand):
    """Shows and verifies erasures."""

    help = (
        "status ID: which contexts have erased their data (exit code 1 while some have not). verify ID: searches every"
        " context's stores for the id of the erased user; exit code 1 if more than tombstones is found. verify"
        " FILE: also checks the signature of the certificate in the file, and that it matches what is on record."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do, and which erasure."""
        parser.add_argument("action", choices=["status", "verify"])
        parser.add_argument(
            "erasure", metavar="ID|FILE", help="id of an erasure; verify: also a file with its certificate"
        )
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the result."""
        given = options["erasure"]
        try:
            if given.isascii() and given.isdigit():
                erasure_id = int(given)
            elif options["action"] == "verify":
                erasure_id = self._certified(Path(given), as_json=options["json"])
            else:
                raise CommandError("status needs the id of an erasure")
            if options["action"] == "status":
                self._status(erasure_id, as_json=options["json"])
            else:
                self._verify(erasure_id, as_json=options["json"])
        except (Invalid, NotFound) as problem:
            raise CommandError(problem.errors[0].detail if problem.errors else problem.detail) from None

    def _certified(self, file: Path, *, as_json: bool) -> int:
        """The erasure of a certificate, after checking that we signed it and that it matches what is on record."""
        try:
            certificate = file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from None
        stated = actions.read_certificate(certificate)
        progress = queries.erasure_progress(int(stated["erasure_id"]))
        on_record = {part["name"]: part for part in queries.erased_parts(progress.id)}
        # Certificates from before rows were counted state none.
        if [{**on_record.get(part["name"], {}), **part} for part in stated["contexts"]] != list(on_record.values()):
            raise CommandError("the certificate was signed here, but does not match what is on record")
        if not as_json:
            rows = sum(sum(part.get("rows", {}).values()) for part in stated["contexts"])
            self.stdout.write(
                f"signed here for erasure {progress.id}, complete at {stated['completed_at']}: {rows} rows erased"
            )
        return progress.id

    def _status(self, erasure_id: int, *, as_json: bool) -> None:
        progress = queries.erasure_progress(erasure_id)
        done = {name: rfc3339(moment) if moment else None for name, moment in progress.erased.items()}
        if as_json:
            answer = {"id": str(erasure_id), "complete": bool(progress.completed_at), "erased": done}
            self.stdout.write(json.dumps(answer))
        else:
            for name, moment in done.items():
                self.stdout.write(f"{name:15} {moment or 'not yet'}")
        if progress.completed_at is None:
            raise CommandError("not complete")

    def _verify(self, erasure_id: int, *, as_json: bool) -> None:
        user_id = queries.erased_user(erasure_id)
        found = audit_erasure(user_id)
        left = [residue for residue in found if not residue.expected]
        if as_json:
            self.stdout.write(json.dumps({"user_id": str(user_id), "found": [asdict(residue) for residue in found]}))
        else:
            for residue in found:
                note = residue.expected or "LEFT BEHIND"
                self.stdout.write(f"{residue.store} {residue.place}: {residue.count} ({note})")
        if left:
            raise CommandError(f"data of user {user_id} is left in {len(left)} places")
        if not as_json:
            self.stdout.write("nothing is left but what is expected")
