"""`manage.py erasure status|verify ID`: how far an erasure has come, and whether anything is left anywhere."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.auth import queries
from socialapp.core.errors import NotFound
from socialapp.core.json import rfc3339
from socialapp.lifecycle.erasure_audit import audit_erasure


class Command(BaseCommand):
    """Tells about erasures."""

    help = (
        "status ID: which contexts have erased their part (exit code 1 while some have not). verify ID: looks through"
        " every context's stores for the id of the erased user; exit code 1 when more than tombstones is found."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do, and about which erasure."""
        parser.add_argument("action", choices=["status", "verify"])
        parser.add_argument("erasure_id", type=int)
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the answer."""
        try:
            if options["action"] == "status":
                self._status(options["erasure_id"], as_json=options["json"])
            else:
                self._verify(options["erasure_id"], as_json=options["json"])
        except NotFound as problem:
            raise CommandError(problem.detail) from None

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
            raise CommandError(f"something is left of user {user_id} in {len(left)} places")
        if not as_json:
            self.stdout.write("nothing is left but what is expected")
