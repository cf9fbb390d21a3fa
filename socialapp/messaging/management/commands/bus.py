"""`manage.py bus status|replay|dead|reconcile`: the state of the bus, dead letters, and sending events again."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from socialapp.core.contexts import served
from socialapp.messaging import operations, reconcile

_ACTIONS = {
    "status": "per context: events waiting, sent, confirmed; failed and dead deliveries",
    "dead": "list the deliveries that are no longer tried",
    "reconcile": "confirm what has arrived, send again what is missing",
    "replay": "try failed and dead deliveries again at once",
}


class Command(BaseCommand):
    """Reads and writes the bus tables of the served contexts; sending is left to the relay."""

    help = "Show and repair the event bus of the served contexts"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One word for what to do."""
        shared = ArgumentParser(add_help=False)
        shared.add_argument("--json", action="store_true", dest="as_json", help="one JSON document instead of lines")
        shared.add_argument("--context", choices=[context.name for context in served()], help="only this context")
        actions = parser.add_subparsers(dest="action", required=True)
        for name, text in _ACTIONS.items():
            action = actions.add_parser(name, help=text, parents=[shared])
            if name == "replay":
                which = action.add_mutually_exclusive_group(required=True)
                which.add_argument("--event", type=int, metavar="ID", help="the deliveries of this event")
                which.add_argument("--all", action="store_true", help="all of them")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints what came out, a line for each thing or all of it as JSON."""
        contexts = [options["context"]] if options["context"] else [context.name for context in served()]
        found = getattr(self, f"_{options['action']}")(contexts, options)
        if options["as_json"]:
            self.stdout.write(json.dumps(found, indent=2))
            return
        for row in found:
            self.stdout.write("  ".join(f"{key}={value}" for key, value in row.items()))

    def _status(self, contexts: list[str], options: dict[str, Any]) -> list[dict[str, Any]]:
        return [asdict(operations.status(context)) for context in contexts]

    def _dead(self, contexts: list[str], options: dict[str, Any]) -> list[dict[str, Any]]:
        return [asdict(letter) for context in contexts for letter in operations.dead_letters(context)]

    def _reconcile(self, contexts: list[str], options: dict[str, Any]) -> list[dict[str, Any]]:
        outcome = [(context, *reconcile.reconcile(context)) for context in contexts]
        return [{"context": context, "confirmed": yes, "sent_again": no} for context, yes, no in outcome]

    def _replay(self, contexts: list[str], options: dict[str, Any]) -> list[dict[str, Any]]:
        event: int | None = options["event"]
        replayed = [
            {"context": context, "replayed": operations.replay(context, event_id=event)} for context in contexts
        ]
        if event is not None and not any(row["replayed"] for row in replayed):
            raise CommandError(f"no failed delivery of event {event}")
        return replayed
