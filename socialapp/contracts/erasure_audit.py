"""What every context answers when somebody wants to know whether an erased person has left anything there."""

from typing import Protocol

from socialapp.contracts.base import data, read, within


@data
class AuditFinding:
    """Rows (or keys, or documents) of one place that hold the id. `expected` says why they may; "": they may not."""

    store: str
    place: str
    count: int
    expected: str


class ErasureAudit(Protocol):
    """Served by every context under its own name."""

    @within(seconds=600)
    @read
    def find(self, *, user_id: int) -> list[AuditFinding]:
        """All that the context's database, and its index where it has one, hold of the id. Reads whole tables."""
        ...
