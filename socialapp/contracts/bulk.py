"""Bulk import and export of records as plain JSON objects, and filling the tables of an empty installation."""

from typing import Any, Protocol

from socialapp.contracts.base import data, read, within, write

Record = dict[str, Any]

# kind → the contexts that store a part of such a record; the first one owns its id and may reject it
KINDS: dict[str, tuple[str, ...]] = {
    "user": ("auth", "users"),
    "follow": ("users",),
    "post": ("posts",),
    "comment": ("comments",),
    "reaction": ("reactions",),
}


@data
class Rejected:
    """A rejected record: its index in the batch, and the reason in words."""

    index: int
    reason: str


@data
class RecordPage:
    """A page of records, and where the next one starts (None: there are no more)."""

    records: list[Record]
    next: str | None


class BulkTransfer(Protocol):
    """Served by every context named in KINDS, under its own name. docs/records.md lists the fields of each kind."""

    @within(seconds=60)
    @write
    def load(self, *, kind: str, records: list[Record]) -> list[Rejected]:
        """Adds the records in one transaction, with the events that creating them would publish.

        Idempotent: existing ones are skipped. Records that are invalid, clash with another or refer to something that
        does not exist are rejected; the others are added.
        """
        ...

    @within(seconds=60)
    @read
    def dump(self, *, kind: str, after: str, limit: int) -> RecordPage:
        """Up to `limit` records after the position `after` ("" is the start), in a fixed order."""
        ...

    @within(seconds=60)
    @read
    def parts(self, *, kind: str, ids: list[int]) -> list[Record]:
        """This context's fields of the records with these ids, each with `id`, if another context dumps the kind."""
        ...


# The contexts with rows of a generated population, in the order in which they are filled.
POPULATED = ("auth", "users", "posts", "comments", "reactions", "metrics", "search")


@data
class Population:
    """A generated population: the same parameters give the same rows in every context. See `socialapp.demo.population`.

    `comments` and `reactions` are approximate: each post gets a random number of them. `until_ms`: the moment, in
    milliseconds since 1970, just after the last post; everything is in the year before it.
    """

    people: int
    posts: int
    comments: int
    reactions: int
    until_ms: int
    password_hash: str


@data
class PopulatedTable:
    """A table for rows of a population, and whether it is empty so far."""

    name: str
    is_empty: bool


class PopulationTables(Protocol):
    """Served by every context named in POPULATED, under its own name."""

    @read
    def tables(self) -> list[PopulatedTable]:
        """The tables that `fill` fills, in the order in which they are to be filled."""
        ...

    @within(seconds=7200)
    @write
    def fill(self, *, population: Population, table: str) -> int:
        """Writes all rows of an empty table, without events; returns how many.

        Atomic for tables of a database. Conflict if the table is not empty.
        """
        ...
