"""Bulk import and export of records as plain JSON objects, and filling the tables of an empty installation."""

from typing import Any, Protocol

from socialapp.contracts.base import data, read, within, write

Record = dict[str, Any]

# kind → the contexts that hold a part of such a record; the first one owns its id and may refuse it
KINDS: dict[str, tuple[str, ...]] = {
    "user": ("auth", "users"),
    "follow": ("users",),
    "post": ("posts",),
    "comment": ("comments",),
    "reaction": ("reactions",),
}


@data
class Rejected:
    """A record that was not taken: its place in the batch and why, for people to read."""

    index: int
    reason: str


@data
class RecordPage:
    """A batch of records, and where the next one starts (None: there are no more)."""

    records: list[Record]
    next: str | None


class BulkTransfer(Protocol):
    """Served by every context named in KINDS, under its own name. docs/records.md lists the fields of each kind."""

    @within(seconds=60)
    @write
    def load(self, *, kind: str, records: list[Record]) -> list[Rejected]:
        """Adds the records in one transaction, with the events that their making would publish.

        Idempotent: one that is there already is passed over. One that is not valid, clashes with another or refers
        to something that is not there is rejected, the others are added.
        """
        ...

    @within(seconds=60)
    @read
    def dump(self, *, kind: str, after: str, limit: int) -> RecordPage:
        """Up to `limit` records behind the position `after` ("" is the start), in a fixed order."""
        ...

    @within(seconds=60)
    @read
    def parts(self, *, kind: str, ids: list[int]) -> list[Record]:
        """This context's fields of the records with these ids, each with `id`, where another context dumps the kind."""
        ...


# The contexts that hold rows of a drawn population, in the order in which they are filled.
POPULATED = ("auth", "users", "posts", "comments", "reactions", "metrics", "search")


@data
class Population:
    """A drawn population: the same numbers give the same rows in every context. Drawn by `socialapp.demo.population`.

    `comments` and `reactions` are what is aimed at: each post gets a drawn number of them. `until_ms`: the moment, in
    milliseconds since 1970, that the last post is just before; everything lies in the year before it.
    """

    people: int
    posts: int
    comments: int
    reactions: int
    until_ms: int
    password_hash: str


@data
class PopulatedTable:
    """A table that holds rows of a population, and whether it has none so far."""

    name: str
    is_empty: bool


class PopulationTables(Protocol):
    """Served by every context named in POPULATED, under its own name."""

    @read
    def tables(self) -> list[PopulatedTable]:
        """What `fill` fills, in the order in which it is to be filled."""
        ...

    @within(seconds=7200)
    @write
    def fill(self, *, population: Population, table: str) -> int:
        """Writes all rows of a table, which is empty, without events; how many.

        Whole or not at all where the table is one of a database. Conflict when the table is not empty.
        """
        ...
