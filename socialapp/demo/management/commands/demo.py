"""`manage.py demo`: people, posts and conversations for trying the product."""

import json
import sys
import time
from argparse import ArgumentParser, BooleanOptionalAction
from itertools import groupby, islice
from typing import Any

import httpx
from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from socialapp.contracts.bulk import POPULATED, Population, PopulationTables
from socialapp.core.errors import Unavailable
from socialapp.demo.crowd import Crowd
from socialapp.demo.population import PEOPLE_AT_MOST, drawn_numbers
from socialapp.demo.story import HERO, Story, new_password, username_of
from socialapp.ops.bulk import BATCH, import_records
from socialapp.rpc.calls import client

_BULK_FROM = 10_000


class Command(BaseCommand):
    """Without options it loads the characters of Les Misérables, through the API; with --people a crowd."""

    help = (
        "Load demo data: the characters of Les Misérables, who follow whom they meet in the novel, through the API; "
        "or, with --people N, a drawn crowd whose followers follow a power law. Fewer than "
        f"{_BULK_FROM:,} are loaded like a file of records, with an event each; more are written straight into the "
        "tables of an empty installation, without events, which takes a twentieth of the time. --bulk and --no-bulk "
        "choose."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The size of the crowd, and how to load it."""
        parser.add_argument("--people", type=int, help="draw a crowd of this size instead")
        parser.add_argument("--posts", type=int, help="posts of the crowd (5 a person)")
        parser.add_argument("--comments", type=int, help="comments of the crowd (5 a person), approximate in bulk")
        parser.add_argument("--reactions", type=int, help="reactions of the crowd (10 a person), approximate in bulk")
        parser.add_argument(
            "--bulk",
            action=BooleanOptionalAction,
            help=f"write straight into empty tables, without events (from {_BULK_FROM:,} people on)",
        )
        parser.add_argument("--dry-run", action="store_true", help="only print how many records; with --people")
        parser.add_argument("--password", help="of every demo account (generated and printed if omitted)")
        parser.add_argument("--no-pictures", action="store_true", help="skip pictures, which need a worker")
        parser.add_argument("--json", action="store_true", help="report as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Loads the data and prints how to log in."""
        password = options["password"] or new_password()
        people = options["people"]
        report: dict[str, Any] = {}
        for name in ("posts", "comments", "reactions"):
            if (options[name] or 0) < 0:
                raise CommandError(f"--{name} must be at least 0")
        if people is None and (options["dry_run"] or options["bulk"]):
            raise CommandError("--bulk and --dry-run need --people")
        if people is None:
            username = self._load_story(password, has_pictures=not options["no_pictures"])
        elif not 1 <= people <= PEOPLE_AT_MOST:
            raise CommandError(f"--people must be at least 1 and at most {PEOPLE_AT_MOST:,}")
        else:
            username, report = self._draw(people, password, options)
        if options["json"]:
            login = {} if options["dry_run"] else {"username": username, "password": password}
            self.stdout.write(json.dumps({**login, **report}))
        elif options["dry_run"]:
            self.stdout.write(", ".join(f"{number:,} {kind}" for kind, number in report.items()))
        else:
            self.stdout.write(f"demo data loaded: log in as {username} with the password {password}")

    def _load_story(self, password: str, *, has_pictures: bool) -> str:
        from django.conf import settings

        settings.RATE_LIMITS = False  # one process makes the requests of all accounts
        story = Story(password=password, has_pictures=has_pictures)
        try:
            for step in tqdm(story.steps(), desc="demo", file=sys.stderr, disable=None):
                step()
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.UNAUTHORIZED:
                raise CommandError("the demo people are here already, with another password") from None
            raise CommandError(f"{error.request.url.path}: {error.response.text}") from None
        return username_of(HERO)

    def _draw(self, people: int, password: str, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        in_bulk = people >= _BULK_FROM if options["bulk"] is None else options["bulk"]
        numbers = {
            name: people * each if options[name] is None else options[name]
            for name, each in (("posts", 5), ("comments", 5), ("reactions", 10))
        }
        if in_bulk:
            population = Population(
                people=people,
                until_ms=int(time.time() * 1000),
                password_hash=make_password(password),
                **numbers,
            )
            report = dict(drawn_numbers(population)) if options["dry_run"] else self._fill(population, options)
        else:
            crowd = Crowd(people=people, **numbers)
            report = crowd.numbers() if options["dry_run"] else self._load(crowd, make_password(password))
        return "person0", report

    def _load(self, crowd: Crowd, password_hash: str) -> dict[str, Any]:
        with tqdm(desc="demo", unit=" records", file=sys.stderr, disable=None) as bar:
            for kind, found in groupby(crowd.records(password_hash=password_hash), key=lambda pair: pair[0]):
                while batch := [record for _, record in islice(found, BATCH)]:
                    refused = import_records(kind, records=batch)
                    if refused:
                        raise CommandError(f"a {kind} was refused: {refused[0].reason}")
                    bar.update(len(batch))
        return {}

    def _fill(self, population: Population, options: dict[str, Any]) -> dict[str, Any]:
        """Fills the tables of all contexts, one after the other; returns the rows and seconds of each."""
        try:
            tables = [
                (context, table)
                for context in POPULATED
                for table in client(PopulationTables, context=context).tables()
            ]
            if held := [f"{context}'s {table.name}" for context, table in tables if not table.is_empty]:
                raise CommandError(f"there are rows already: {', '.join(held)}; --bulk fills an empty installation")
            report: dict[str, Any] = {}
            began = time.monotonic()
            for number, (context, table) in enumerate(tables, start=1):
                started = time.monotonic()
                rows = client(PopulationTables, context=context).fill(population=population, table=table.name)
                seconds = round(time.monotonic() - started, 1)
                report[f"{context}.{table.name}"] = {"rows": rows, "seconds": seconds}
                if not options["json"]:
                    self.stderr.write(f"{number} of {len(tables)}: {context}, {table.name}: {rows:,} rows, {seconds} s")
        except Unavailable as error:
            raise CommandError(error.detail) from error
        rows = sum(each["rows"] for each in report.values())
        return {"tables": report, "rows": rows, "seconds": round(time.monotonic() - began, 1)}
