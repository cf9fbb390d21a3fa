"""Rolling releases: code works on the tables of the next release, whose migrations only expand, without errors."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from socialapp.core.contexts import CONTEXTS
from tests.deploy.processes import Roles, installed, until
from tests.scenarios.product import Member

# What socialapp/ops/migration_lint.py allows a migration to add to a table that is in use.
_ADDED = ("next_optional TEXT NULL", "next_filled INTEGER NOT NULL DEFAULT 7")


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Roles]:
    with installed(tmp_path_factory.mktemp("rolling")) as made:
        for role in ("web", "relay", "worker", "beat"):
            made.start(role, WORKER_POOL="threads")
        yield made


def expand(roles: Roles) -> None:
    """Does to every table of every context what a migration of the next release may do."""
    for context in CONTEXTS:
        with closing(sqlite3.connect(roles.database(context), timeout=60)) as connection:
            tables = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            found = connection.execute(tables).fetchall()
            full_text = [name for name, sql in found if sql.upper().startswith("CREATE VIRTUAL")]
            for table, _ in found:
                if not table.startswith(tuple(full_text) or "-"):
                    for column in _ADDED:
                        connection.execute(f'ALTER TABLE "{table}" ADD COLUMN {column}')
            connection.commit()


def take_part(author: Member, reader: Member, number: int) -> None:
    """Uses a part of every context; each request succeeds."""
    post = author.write(f"post {number} #rolling @{reader.username}")["id"]
    comment = reader.post(f"/v1/posts/{post}/comments", {"content": "seen"})
    answers = [
        comment,
        reader.put(f"/v1/posts/{post}/reaction", {"reaction_type": "love"}),
        reader.put(f"/v1/posts/{post}/repost"),
        reader.put(f"/v1/posts/{post}/bookmark"),
        author.patch(f"/v1/posts/{post}", {"content": f"post {number}, edited #rolled"}),
        reader.get("/v1/feed"),
        author.get("/v1/notifications"),
        author.patch("/v1/profiles/me", {"bio": f"I have written {number}"}),
    ]
    assert [answer.status_code for answer in answers if answer.status_code not in (200, 201, 204)] == []


def test_code_works_on_the_tables_of_the_next_release(roles: Roles) -> None:
    alice, bob = roles.product.join("alice"), roles.product.join("bob")
    assert bob.follow(alice)["following"]
    expanded = threading.Event()
    failures: list[BaseException] = []
    taken: list[Any] = []

    def write() -> None:
        try:
            while not expanded.is_set() or len(taken) < 5:
                take_part(alice, bob, len(taken))
                taken.append(expanded.is_set())
        except BaseException as error:
            failures.append(error)

    writing = threading.Thread(target=write)
    writing.start()
    until(lambda: len(taken) > 0 or bool(failures), seconds=60)
    expand(roles)
    expanded.set()
    writing.join(120)
    assert (failures, writing.is_alive()) == ([], False)
    for number in range(3):
        take_part(alice, bob, len(taken) + number)
    taken_part = len(taken) + 3
    confirmed = "SELECT COUNT(*) FROM bus_outbox WHERE state < 2"
    until(lambda: sum(roles.number(name, confirmed) for name in CONTEXTS) == 0, seconds=120)
    assert roles.number("posts", "SELECT COUNT(*) FROM posts WHERE next_filled = 7") == taken_part
    assert sum(roles.number(name, "SELECT COUNT(*) FROM bus_failed_delivery") for name in CONTEXTS) == 0
    roles.manage("verify")
    assert bob.get(f"/v1/profiles/{alice.id}").json()["posts_count"] == taken_part
