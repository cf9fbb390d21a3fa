"""Which tokens no longer count although they have not expired; answered by auth for all contexts."""

from typing import Protocol

from socialapp.contracts.base import data, read, service


@data
class Revoked:
    """Users and sessions whose access tokens, where still unexpired, must be refused."""

    users: list[int]
    sessions: list[int]


@service("auth")
class Revocations(Protocol):
    """Served by auth."""

    @read
    def recent(self) -> Revoked:
        """All revocations that could still matter: those made within the life of an access token."""
        ...
