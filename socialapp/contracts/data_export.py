"""The contract of data exports: every context returns everything that it holds about a person."""

from typing import Protocol

from socialapp.contracts.base import data, read


@data
class StoredCopy:
    """A file of a person: its name in the archive, and its name in the store."""

    name: str
    stored_as: str


class DataExport(Protocol):
    """Served by every context under its own name."""

    @read
    def tables(self) -> list[str]:
        """The names of the tables with personal rows."""
        ...

    @read
    def files(self, *, user_id: int, offset: int, limit: int) -> list[StoredCopy]:
        """The files that belong to a person's rows, in the order of their keys."""
        ...

    @read
    def rows(self, *, user_id: int, table: str, offset: int, limit: int) -> list[str]:
        """A person's rows of a table, each as a JSON object, in the order of their keys. Secrets are omitted."""
        ...
