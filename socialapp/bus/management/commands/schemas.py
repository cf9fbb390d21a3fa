"""`manage.py schemas`: writes docs/openapi.yaml, docs/asyncapi-events.yaml and docs/schemas/ anew."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson
import yaml
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from socialapp.bus.asyncapi import asyncapi, event_schema
from socialapp.contracts.base import EVENTS


class Command(BaseCommand):
    """A changed schema is a changed promise: the diff of these files is what a reviewer reads."""

    help = "Write the OpenAPI and AsyncAPI documents and the schemas of all events."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to."""
        parser.add_argument("--into", type=Path, default=Path(settings.BASE_DIR) / "docs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Writes all of them."""
        into: Path = options["into"]
        events = into / "schemas" / "events"
        events.mkdir(parents=True, exist_ok=True)
        for name, event in sorted(EVENTS.items()):
            content = orjson.dumps(event_schema(event), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
            (events / f"{name}.json").write_bytes(content + b"\n")
        (into / "asyncapi-events.yaml").write_text(yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True))
        call_command("spectacular", file=str(into / "openapi.yaml"), validate=True, fail_on_warn=True)
