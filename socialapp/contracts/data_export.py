"""What every context answers when a person asks for everything that is held about them."""

from typing import Protocol

from socialapp.contracts.base import data, read


@data
class StoredCopy:
    """A file of a person: what it is called in the archive, and under which name it lies in the store."""

    name: str
    stored_as: str


class DataExport(Protocol):
    """Served by every context under its own name."""

    @read
    def tables(self) -> list[str]:
        """The names of the tables that hold rows of persons."""
        ...

    @read
    def files(self, *, user_id: int, offset: int, limit: int) -> list[StoredCopy]:
        """The files that rows of a person stand for, in the order of their keys."""
        ...

    @read
    def rows(self, *, user_id: int, table: str, offset: int, limit: int) -> list[str]:
        """A person's rows of a table, each as a JSON object, in the order of their keys. Secrets are left out."""
        ...
