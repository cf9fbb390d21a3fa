"""`manage.py search`: rebuilds, verifies and describes the index, or follows the binlog."""

import json
import signal
from dataclasses import asdict
from threading import Event, Thread
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from tqdm import tqdm

from apps.search import access, actions, queries
from apps.search.actions.capture import CaptureRefused, Source, follow, sources
from socialapp.core.errors import Unavailable


class Command(BaseCommand):
    """Maintains the search index."""

    help = "Rebuilds (reindex), compares (verify), describes (status) or continuously updates (cdc) the search index."

    def add_arguments(self, parser: CommandParser) -> None:
        """The subcommands."""
        commands = parser.add_subparsers(dest="command", required=True)
        for name, text in (
            ("reindex", "rebuild the index while searches and writes continue, compare, and swap it in"),
            ("verify", "compare ids and versions with the database; exit status 1 if they differ"),
            ("status", "number of documents, names of indices, and how the index is updated"),
        ):
            commands.add_parser(name, help=text).add_argument("--json", action="store_true", help="answer as JSON")

        following = commands.add_parser("cdc", help="follow commits until stopped; for SEARCH_SYNC=cdc")
        following.add_argument("--from-now", action="store_true", help="skip what was committed before")

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs the subcommand; exit status 1 if the index does not answer."""
        if options["command"] == "cdc":
            self._follow(from_now=options["from_now"])
            return
        try:
            {"reindex": self._reindex, "verify": self._verify, "status": self._status}[options["command"]](
                as_json=options["json"]
            )
        except Unavailable as error:
            raise CommandError(error.detail) from error

    def _reindex(self, *, as_json: bool) -> None:
        with tqdm(unit=" documents", disable=as_json or None) as bar:
            compared = actions.rebuild_index(advance=bar.update)
        self._report({"indexed": {str(drift.kind): drift.compared for drift in compared}}, as_json=as_json)

    def _verify(self, *, as_json: bool) -> None:
        with tqdm(unit=" documents", disable=as_json or None) as bar:
            found = [
                access.differences(index=queries.reader(), kind=kind, advance=bar.update) for kind in ("user", "post")
            ]
        equal = not any(drift.ids for drift in found)
        self._report({"equal": equal, "kinds": [asdict(drift) for drift in found]}, as_json=as_json)
        if not equal:
            raise SystemExit(1)

    def _status(self, *, as_json: bool) -> None:
        sync = {"sync": settings.SEARCH_SYNC, "positions": queries.sync_positions()}
        self._report({**queries.reader().status(), **sync}, as_json=as_json)

    def _follow(self, *, from_now: bool) -> None:
        """Follows each source in a thread of its own; if one fails, all end, to be restarted."""
        stopping = Event()
        for sent in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sent, lambda *_: stopping.set())
        failures: list[Exception] = []

        def run(source: Source) -> None:
            try:
                follow(source=source, stopping=stopping, from_now=from_now)
            except Exception as error:
                failures.append(error)
            finally:
                stopping.set()
                connections.close_all()

        try:
            found = sources()
        except CaptureRefused as error:
            raise CommandError(str(error)) from error
        threads = [Thread(target=run, args=(source,), name=source.name) for source in found]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for failure in failures:
            raise CommandError(str(failure)) from failure

    def _report(self, found: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(found))
            return
        for name, value in found.items():
            self.stdout.write(f"{name}: {value if isinstance(value, (str, int)) else json.dumps(value)}")
