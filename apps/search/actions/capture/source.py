"""The interface of sources of changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, Protocol

# The tables that the index is built from, by the name of the context's database.
CAPTURED = {"posts": ("posts",), "users": ("profiles", "follows")}
TABLES = tuple(table for tables in CAPTURED.values() for table in tables)


class CaptureRefused(Exception):
    """The source cannot be followed as it is configured; the message says what to change."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """A change of a row in a captured table: no row before an INSERT, none after a DELETE."""

    table: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Batch:
    """The changes of one or more transactions, and the position after them. May be empty."""

    changes: Sequence[RowChange]
    position: str


class Source(Protocol):
    """A source of changes. Positions are strings that only the source itself interprets."""

    name: str

    def check(self) -> None:
        """CaptureRefused if a missing setting would lead to wrong documents."""
        ...

    def start(self) -> str:
        """The present position, to start from."""
        ...

    def read(self, position: str, stopping: Event) -> Iterator[Batch]:
        """Batches after the position, as they come, until `stopping`; empty ones at least every few seconds."""
        ...

    def saved(self, position: str) -> None:
        """The effect of everything up to this position is committed: reconnects continue from here."""
        ...
