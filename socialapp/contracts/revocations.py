"""The contract of revocations: unexpired tokens that are no longer valid, according to auth."""

from dataclasses import field
from typing import Protocol

from socialapp.contracts.base import data, read, service


@data
class Revoked:
    """Users and sessions whose unexpired access tokens must be refused, and users whose tokens may contain outdated
    roles."""

    users: list[int]
    sessions: list[int]
    role_changes: list[int] = field(default_factory=list)


@service("auth")
class Revocations(Protocol):
    """Served by auth."""

    @read
    def recent(self) -> Revoked:
        """All relevant revocations: those made within the lifetime of an access token."""
        ...

    @read
    def roles(self, *, user_id: int) -> list[str]:
        """The present roles of the account, sorted; empty if it does not exist."""
        ...
