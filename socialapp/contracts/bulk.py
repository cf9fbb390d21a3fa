"""Bulk import and export: every context that owns records of a kind takes and gives them as plain JSON objects."""

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
