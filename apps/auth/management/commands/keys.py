"""`manage.py keys list|rotate`: the keys that sign access tokens and certificates."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.auth import actions
from socialapp.core.json import rfc3339


class Command(BaseCommand):
    """Lists the signing keys, or creates a new one."""

    help = (
        "list: all keys, newest first; their state is next, signing, verifying or retired. rotate: creates a key that"
        " is published now and signs in ten minutes; its predecessor verifies until the tokens it signed expire."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do."""
        parser.add_argument("action", choices=["list", "rotate"])
        parser.add_argument(
            "--now",
            action="store_true",
            help="rotate, after a leak: sign at once, and retire keys from earlier rotations",
        )
        parser.add_argument("--dry-run", action="store_true", help="rotate: say what would be done, and do nothing")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the keys, or the new one."""
        if options["action"] == "rotate" and options["dry_run"]:
            when = (
                "at once; tokens of keys from earlier rotations become invalid" if options["now"] else "in ten minutes"
            )
            what = f"make a key that signs {when}"
            self.stdout.write(json.dumps({"done": False, "what": what}) if options["json"] else f"would {what}")
            return
        made = [actions.rotate_keys(at_once=options["now"])] if options["action"] == "rotate" else actions.key_states()
        rows = [
            {"kid": key.kid, "state": key.state, "signs_from": rfc3339(key.signs_from) if key.signs_from else None}
            for key in made
        ]
        if options["json"]:
            self.stdout.write(json.dumps(rows))
            return
        for row in rows:
            self.stdout.write(f"{row['kid']}  {row['state']:10} {row['signs_from'] or 'from the settings'}")
