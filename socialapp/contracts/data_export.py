"""What every context answers when a person asks for everything that is held about them."""

from typing import Protocol

from socialapp.contracts.base import read


class DataExport(Protocol):
    """Served by every context under its own name."""

    @read
    def tables(self) -> list[str]:
        """The names of the tables that hold rows of persons."""
        ...

    @read
    def rows(self, *, user_id: int, table: str, offset: int, limit: int) -> list[str]:
        """A person's rows of a table, each as a JSON object, in the order of their keys. Secrets are left out."""
        ...
