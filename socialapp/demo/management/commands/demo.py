"""`manage.py demo`: people, posts and talk to try the product with."""

import json
import sys
from argparse import ArgumentParser
from itertools import groupby, islice
from typing import Any

import httpx
from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from socialapp.demo.crowd import Crowd
from socialapp.demo.story import HERO, Story, new_password, username_of
from socialapp.ops.bulk import BATCH, import_records


class Command(BaseCommand):
    """Without options the characters of Les Misérables, through the API; with --people a crowd, in bulk."""

    help = (
        "Load demo data: the characters of Les Misérables, who follow whom they meet in the novel, through the API; "
        "or, with --people N, a drawn crowd whose followers follow a power law, in bulk."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many."""
        parser.add_argument("--people", type=int, help="draw a crowd of this size instead")
        parser.add_argument("--posts", type=int, help="posts of the crowd (5 a person)")
        parser.add_argument("--comments", type=int, help="comments of the crowd (5 a person)")
        parser.add_argument("--reactions", type=int, help="reactions of the crowd (10 a person)")
        parser.add_argument("--password", help="of every demo account (made up and printed, where not given)")
        parser.add_argument("--no-pictures", action="store_true", help="draw none; they need a worker")
        parser.add_argument("--json", action="store_true", help="report as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Loads and prints how to log in."""
        password = options["password"] or new_password()
        people = options["people"]
        for name in ("posts", "comments", "reactions"):
            if (options[name] or 0) < 0:
                raise CommandError(f"--{name} must be at least 0")
        if people is None:
            username = self._tell_story(password, has_pictures=not options["no_pictures"])
        elif people < 1:
            raise CommandError("--people must be at least 1")
        else:
            username = self._draw_crowd(people, password, options)
        if options["json"]:
            self.stdout.write(json.dumps({"username": username, "password": password}))
        else:
            self.stdout.write(f"demo data loaded: log in as {username} with the password {password}")

    def _tell_story(self, password: str, *, has_pictures: bool) -> str:
        from django.conf import settings

        settings.RATE_LIMITS = False  # one process speaks for everybody
        story = Story(password=password, has_pictures=has_pictures)
        try:
            for step in tqdm(story.steps(), desc="demo", file=sys.stderr, disable=None):
                step()
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.UNAUTHORIZED:
                raise CommandError("the demo people are here already, with another password") from None
            raise CommandError(f"{error.request.url.path}: {error.response.text}") from None
        return username_of(HERO)

    def _draw_crowd(self, people: int, password: str, options: dict[str, Any]) -> str:
        crowd = Crowd(
            people=people,
            posts=people * 5 if options["posts"] is None else options["posts"],
            comments=people * 5 if options["comments"] is None else options["comments"],
            reactions=people * 10 if options["reactions"] is None else options["reactions"],
        )
        with tqdm(desc="demo", unit=" records", file=sys.stderr, disable=None) as bar:
            for kind, found in groupby(crowd.records(password_hash=make_password(password)), key=lambda pair: pair[0]):
                while batch := [record for _, record in islice(found, BATCH)]:
                    refused = import_records(kind, records=batch)
                    if refused:
                        raise CommandError(f"a {kind} was refused: {refused[0].reason}")
                    bar.update(len(batch))
        return "person0"
