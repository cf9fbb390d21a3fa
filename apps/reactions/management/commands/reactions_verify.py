"""`manage.py reactions_verify`: compares every stored count of reactions with the rows."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.reactions import actions, queries

_BATCH = 500


class Command(BaseCommand):
    """Lists the wrong counts and fails if there are any that it was not told to repair."""

    help = "Compares the stored counts of reactions with the rows; --repair corrects them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Adds --repair and --json."""
        parser.add_argument("--repair", action="store_true", help="correct what is wrong")
        parser.add_argument("--json", action="store_true", help="answer one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Goes through all targets in batches; safe while people react."""
        repair = options["repair"]
        checked, faults = 0, []
        for target_type in queries.TARGET_TYPES:
            after = 0
            while ids := queries.targets_in_order(target_type=target_type, after=after, limit=_BATCH):
                faults += actions.check_targets(target_type=target_type, target_ids=ids, repair=repair)
                checked += len(ids)
                after = ids[-1]
        if options["json"]:
            report = {"targets": checked, "repaired": repair, "faults": [asdict(fault) for fault in faults]}
            self.stdout.write(json.dumps(report))
        else:
            for fault in faults:
                target = f"{fault.target_type} {fault.target_id}"
                self.stdout.write(f"{fault.reaction_type} to {target}: {fault.counted} stored, {fault.actual} there")
            self.stdout.write(f"{checked} targets checked, {len(faults)} wrong counts")
        if faults and not repair:
            raise CommandError("some counts are wrong; --repair corrects them")
