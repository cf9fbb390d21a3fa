"""`manage.py trace REQUEST_ID`: which events a request has caused, when they were sent, and who has taken them."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from socialapp.api.rendering import to_json
from socialapp.bus.journey import journey, lines
from socialapp.contexts import CONTEXTS, served


class Command(BaseCommand):
    """Reads only; knows what the served contexts' tables still hold (see OUTBOX_RETENTION_DAYS)."""

    help = (
        "Show the way of one request through the bus of the served contexts; exit status 1 when nothing is known of it"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which request, and how to tell it."""
        parser.add_argument("request_id", help="X-Request-ID of the answer; request_id in the logs")
        parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON document instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        """An indented tree: each event, its handlers, and the events that these published."""
        steps = journey(options["request_id"])
        if not steps:
            here = "" if len(served()) == len(CONTEXTS) else f" in {', '.join(context.name for context in served())}"
            raise CommandError(f"no event of request {options['request_id']} is known{here}")
        if options["as_json"]:
            self.stdout.write(to_json([asdict(step) for step in steps]).decode())
            return
        for line in lines(steps):
            self.stdout.write(line)
