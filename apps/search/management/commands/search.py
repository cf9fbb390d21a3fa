"""`manage.py search`: rebuild the index, prove that it equals the database, or say how it stands."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from apps.search import actions, queries
from socialapp.core.errors import Unavailable


class Command(BaseCommand):
    """Looks after the search index."""

    help = "Rebuilds (reindex), compares (verify) or describes (status) the search index."

    def add_arguments(self, parser: CommandParser) -> None:
        """The subcommands."""
        commands = parser.add_subparsers(dest="command", required=True)
        for name, text in (
            ("reindex", "build the index anew while searches and writes go on, compare, and swap it in"),
            ("verify", "compare ids and versions with the database; exit status 1 when they differ"),
            ("status", "number of documents and names of indices"),
        ):
            commands.add_parser(name, help=text).add_argument("--json", action="store_true", help="answer in JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs one of them; exit status 1 when the index does not answer."""
        try:
            {"reindex": self._reindex, "verify": self._verify, "status": self._status}[options["command"]](
                as_json=options["json"]
            )
        except Unavailable as error:
            raise CommandError(error.detail) from error

    def _reindex(self, *, as_json: bool) -> None:
        with tqdm(unit=" documents", disable=as_json or None) as bar:
            compared = actions.rebuild_index(advance=bar.update)
        self._tell({"indexed": {str(drift.kind): drift.compared for drift in compared}}, as_json=as_json)

    def _verify(self, *, as_json: bool) -> None:
        with tqdm(unit=" documents", disable=as_json or None) as bar:
            found = [queries.differences(queries.index(), kind, advance=bar.update) for kind in ("user", "post")]
        equal = not any(drift.ids for drift in found)
        self._tell({"equal": equal, "kinds": [asdict(drift) for drift in found]}, as_json=as_json)
        if not equal:
            raise SystemExit(1)

    def _status(self, *, as_json: bool) -> None:
        self._tell(queries.index().status(), as_json=as_json)

    def _tell(self, found: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(found))
            return
        for name, value in found.items():
            self.stdout.write(f"{name}: {value if isinstance(value, (str, int)) else json.dumps(value)}")
