"""`manage.py trace REQUEST_ID`: which events a request caused, when they were sent, and which handlers took them."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from socialapp.core.json import to_json
from socialapp.messaging.request_trace import lines, request_trace


class Command(BaseCommand):
    """Only reads; covers what the tables of all contexts still hold (OUTBOX_RETENTION_DAYS), served here or not."""

    help = "Show the trace of one request through the bus of all contexts; exit status 1 when nothing is known of it"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The request, and the output format."""
        parser.add_argument("request_id", help="X-Request-ID of the answer; request_id in the logs")
        parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON document instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints an indented tree: each event, its handlers, and the events that these published."""
        steps, silent = request_trace(options["request_id"])
        if silent:
            self.stderr.write(f"no answer from {', '.join(silent)}: what they know is left out")
        if not steps:
            raise CommandError(f"no event of request {options['request_id']} is known")
        if options["as_json"]:
            self.stdout.write(to_json([asdict(step) for step in steps]).decode())
            return
        for line in lines(steps):
            self.stdout.write(line)
