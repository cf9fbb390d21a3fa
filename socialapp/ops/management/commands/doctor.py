"""`manage.py doctor`: reports what is unreachable, misconfigured or unsafe, with the remedy; then exit status 1."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from socialapp.ops.diagnostics import all_findings


class Command(BaseCommand):
    """Changes nothing."""

    help = "Show what is unreachable, misconfigured or unsafe"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The output format."""
        parser.add_argument("--json", action="store_true", dest="as_json", help="a JSON list instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints a line for each finding."""
        findings = all_findings()
        if options["as_json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2))
        elif not findings:
            self.stdout.write("all is well")
        else:
            for finding in findings:
                self.stdout.write(f"{finding.where}: {finding.problem} ({finding.remedy}) [{finding.code}]")
        if findings:
            sys.exit(1)
