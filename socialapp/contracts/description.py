"""The contract by which every context describes its part of the public API."""

from typing import Protocol

from socialapp.contracts.base import read, within


class Description(Protocol):
    """Served by every context under its own name."""

    @within(seconds=15)
    @read
    def openapi(self) -> str:
        """The OpenAPI document, as JSON, of all contexts that the process serves."""
        ...
