"""The contract of signing keys: the public keys that verify access tokens, rotated by auth."""

from typing import Protocol

from socialapp.contracts.base import data, read, service


@data
class PublicKey:
    """A key and its `kid`, by which tokens refer to it."""

    kid: str
    pem: str


@service("auth")
class SigningKeys(Protocol):
    """Served by auth."""

    @read
    def published(self) -> list[PublicKey]:
        """All keys that verify tokens now, including those that will sign soon."""
        ...
