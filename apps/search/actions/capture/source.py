"""What sources of changes have in common."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, Protocol

# The tables whose rows the index is made of, by the name of the context's database.
CAPTURED = {"posts": ("posts",), "users": ("profiles", "follows")}
TABLES = tuple(table for tables in CAPTURED.values() for table in tables)


class CaptureRefused(Exception):
    """The source cannot be followed as it is set up; the message says what to change."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row of a captured table, before and after: no row before an INSERT, none after a DELETE."""

    table: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Batch:
    """The changes of one transaction or more, and the position behind them. May be empty."""

    changes: Sequence[RowChange]
    position: str


class Source(Protocol):
    """Where changes come from. Positions are texts that only the source itself understands."""

    name: str

    def check(self) -> None:
        """CaptureRefused when something is missing that would lead to wrong documents."""
        ...

    def start(self) -> str:
        """The position of this moment, to begin with."""
        ...

    def read(self, position: str, stopping: Event) -> Iterator[Batch]:
        """Batches behind the position, as they come, until `stopping`; empty ones at least every few seconds."""
        ...

    def saved(self, position: str) -> None:
        """The effect of everything up to this position is committed: whoever reconnects goes on from here."""
        ...
