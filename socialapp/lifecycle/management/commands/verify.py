"""`manage.py verify`: compares feeds, counts, search index, notifications and metrics with their sources."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from socialapp.contracts.drift import PROJECTING
from socialapp.core.errors import Unavailable
from socialapp.lifecycle.drift import verify
from socialapp.lifecycle.runs import VERIFY, record_run


class Command(BaseCommand):
    """Works while people write; data with events in flight is skipped, and counted."""

    help = (
        "Compare all derived data (feeds, counts, search index, notifications, metrics) with its source; --repair"
        " corrects it. Exit status 1 if something differs and was not repaired."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to compare, and how to print it."""
        parser.add_argument("--repair", action="store_true", help="repair what differs")
        parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object instead of lines")
        parser.add_argument(
            "--context", action="append", choices=PROJECTING, help="only this one (may be given several times)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Goes through all contexts in small steps; a line for each thing that differs."""
        found = [self._verify(name, options) for name in options["context"] or PROJECTING]
        differing = sum(len(report["drifts"]) for report in found)
        if not options["context"]:
            record_run(VERIFY, problems=0 if options["repair"] else differing)
        if options["as_json"]:
            self.stdout.write(json.dumps({"repaired": options["repair"], "contexts": found}, indent=2))
        if differing and not options["repair"]:
            sys.exit(1)

    def _verify(self, context: str, options: dict[str, Any]) -> dict[str, Any]:
        report: dict[str, Any] = {"context": context, "compared": 0, "in_flight": 0, "drifts": []}
        try:
            for checked in verify(context, repair=options["repair"]):
                report["compared"] += checked.compared
                report["in_flight"] += checked.in_flight
                report["drifts"] += [asdict(drift) for drift in checked.drifts]
        except Unavailable as error:
            raise CommandError(error.detail) from error
        if not options["as_json"]:
            self._print(report, repaired=options["repair"])
        return report

    def _print(self, report: dict[str, Any], *, repaired: bool) -> None:
        for drift in report["drifts"]:
            self.stdout.write(
                f"{report['context']}: {drift['projection']} of {drift['id']}: {drift['held']}, not {drift['actual']}"
                + (" (repaired)" if repaired else "")
            )
        in_flight = f", {report['in_flight']} left out: events under way" if report["in_flight"] else ""
        differing = f"{len(report['drifts'])} differ"
        self.stdout.write(f"{report['context']}: {report['compared']} compared, {differing}{in_flight}")
