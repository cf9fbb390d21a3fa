"""`manage.py schemas`: rewrites docs/openapi.yaml and docs/asyncapi-events.yaml, and adds to docs/schemas/."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson
import yaml
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from socialapp.messaging.asyncapi import asyncapi
from socialapp.ops.contract_schemas import broken, contract_schemas


class Command(BaseCommand):
    """A changed schema is a changed contract: reviewers read the diff of these files."""

    help = "Write the OpenAPI and AsyncAPI documents, and the schemas of all events and calls; none may be broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folder to write to."""
        parser.add_argument("--into", type=Path, default=Path(settings.BASE_DIR) / "docs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Writes all of them."""
        into: Path = options["into"]
        _keep(contract_schemas(), into / "schemas")
        (into / "asyncapi-events.yaml").write_text(yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True))
        call_command("spectacular", file=str(into / "openapi.yaml"), validate=True, fail_on_warn=True)


def _keep(made: dict[str, dict[str, Any]], folder: Path) -> None:
    """Writes the schemas, unless a change would break a published one."""
    kept = {str(path.relative_to(folder)): orjson.loads(path.read_bytes()) for path in sorted(folder.glob("*/*.json"))}
    faults = [
        f"{name}: {fault}"
        for name, published in kept.items()
        for fault in (broken(published, new=made[name]) if name in made else ["is gone"])
    ]
    if faults:
        raise CommandError("released contracts would break (see docs/adding.md):\n" + "\n".join(faults))
    for name, schema in made.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")
