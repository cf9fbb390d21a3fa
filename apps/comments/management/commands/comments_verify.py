"""`manage.py comments_verify`: compares every stored count of comments and replies with the rows."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.comments import actions, queries

_BATCH = 200


class Command(BaseCommand):
    """Lists the wrong counts and fails if there are any that it was not told to repair."""

    help = "Compares the stored counts of comments and replies with the rows; --repair corrects them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Adds --repair and --json."""
        parser.add_argument("--repair", action="store_true", help="correct what is wrong")
        parser.add_argument("--json", action="store_true", help="answer one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Goes through all posts in batches; safe while people write."""
        checked, faults, after = 0, [], 0
        while post_ids := queries.posts_in_order(after=after, limit=_BATCH):
            faults += actions.check_posts(post_ids=post_ids, repair=options["repair"])
            checked += len(post_ids)
            after = post_ids[-1]
        if options["json"]:
            report = {"posts": checked, "repaired": options["repair"], "faults": [asdict(fault) for fault in faults]}
            self.stdout.write(json.dumps(report))
        else:
            for fault in faults:
                self.stdout.write(f"{fault.what} of {fault.id}: {fault.counted} stored, {fault.actual} there")
            self.stdout.write(f"{checked} posts checked, {len(faults)} wrong counts")
        if faults and not options["repair"]:
            raise CommandError("some counts are wrong; --repair corrects them")
