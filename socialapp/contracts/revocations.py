"""Which tokens no longer count although they have not expired; answered by auth for all contexts."""

from dataclasses import field
from typing import Protocol

from socialapp.contracts.base import data, read, service


@data
class Revoked:
    """Users and sessions whose access tokens, where still unexpired, must be refused, and users whose tokens may
    name roles that they no longer have, or lack some."""

    users: list[int]
    sessions: list[int]
    role_changes: list[int] = field(default_factory=list)


@service("auth")
class Revocations(Protocol):
    """Served by auth."""

    @read
    def recent(self) -> Revoked:
        """All revocations that could still matter: those made within the life of an access token."""
        ...

    @read
    def roles(self, *, user_id: int) -> list[str]:
        """The roles that the account has now, sorted; none for one that does not exist."""
        ...
