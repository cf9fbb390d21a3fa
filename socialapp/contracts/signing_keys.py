"""The public keys that verify access tokens; answered by auth, where keys are rotated."""

from typing import Protocol

from socialapp.contracts.base import data, read, service


@data
class PublicKey:
    """A key and the `kid` that tokens name it by."""

    kid: str
    pem: str


@service("auth")
class SigningKeys(Protocol):
    """Served by auth."""

    @read
    def published(self) -> list[PublicKey]:
        """All keys that verify tokens now, those that will sign soon among them."""
        ...
