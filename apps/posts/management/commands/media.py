"""`manage.py media`: compares rows and store, regenerates sizes, and deletes unused media."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from apps.posts import actions
from socialapp.core.errors import Unavailable


class Command(BaseCommand):
    """Maintains media and their store."""

    help = "Compares media with the store (verify), regenerates sizes (reprocess), deletes what is unused (sweep)."

    def add_arguments(self, parser: CommandParser) -> None:
        """The subcommands."""
        commands = parser.add_subparsers(dest="command", required=True)
        verify = commands.add_parser("verify", help="compare rows and store, both ways; exit status 1 if they differ")
        reprocess = commands.add_parser("reprocess", help="regenerate the smaller sizes from the largest file")
        reprocess.add_argument("ids", nargs="*", type=int, help="ids of media; default: all that are ready")
        sweep = commands.add_parser("sweep", help="delete media that nothing shows, and files that nothing uses")
        for each in (reprocess, sweep):
            each.add_argument("--dry-run", action="store_true", help="only count")
        for each in (verify, reprocess, sweep):
            each.add_argument("--json", action="store_true", dest="as_json", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs the subcommand; exit status 1 if the store is unavailable."""
        command = {"verify": self._verify, "reprocess": self._reprocess, "sweep": self._sweep}[options["command"]]
        with tqdm(unit=" items", file=sys.stderr, disable=options["as_json"] or None) as bar:
            try:
                found, succeeded = command(bar, options)
            except Unavailable as error:
                raise CommandError(error.detail) from error
        if options["as_json"]:
            self.stdout.write(json.dumps(found))
        else:
            for name, value in found.items():
                self.stdout.write(f"{name}: {value}")
        if not succeeded:
            raise SystemExit(1)

    def _verify(self, bar: Any, options: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        found = actions.verify_store(advance=bar.update)
        return {"equal": found.equal, **asdict(found)}, found.equal

    def _sweep(self, bar: Any, options: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        swept = actions.sweep_store(
            unused_hours=settings.MEDIA_UNUSED_HOURS, dry_run=options["dry_run"], advance=bar.update
        )
        return {"dry_run": options["dry_run"], **asdict(swept)}, True

    def _reprocess(self, bar: Any, options: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """Exit status 1 if some could not be regenerated: unknown, or the largest file is lost or damaged."""
        reprocess = actions.is_ready if options["dry_run"] else actions.regenerate_media
        done = failed = 0
        after, ids = 0, options["ids"] or actions.ready_media(after=0)
        while ids:
            for media_id in ids:
                if reprocess(media_id=media_id):
                    done += 1
                else:
                    failed += 1
                bar.update(1)
            after = ids[-1]
            ids = [] if options["ids"] else actions.ready_media(after=after)
        return {"dry_run": options["dry_run"], "remade": done, "failed": failed}, not failed
