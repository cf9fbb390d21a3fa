"""The contract of erasure audits: every context reports what it still holds about an erased person."""

from typing import Protocol

from socialapp.contracts.base import data, read, within


@data
class AuditFinding:
    """Rows (or keys, or documents) of one place that contain the id. `expected` says why they may; "": they must
    not."""

    store: str
    place: str
    count: int
    expected: str


class ErasureAudit(Protocol):
    """Served by every context under its own name."""

    @within(seconds=600)
    @read
    def find(self, *, user_id: int) -> list[AuditFinding]:
        """Everything in the context's database, and its index if it has one, with the id. Reads whole tables."""
        ...
