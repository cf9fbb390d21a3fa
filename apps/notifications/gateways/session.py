"""The HTTP client of push services: pooled connections, and only to public addresses.

An endpoint is chosen by the browser, so it must not lead into our own network. aiohttp rather than
`socialapp.core.outgoing`: a push costs 0.9 ms of CPU over a pooled connection, and hundreds wait at a time.
"""

import socket
import ssl
from functools import cache
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from apps.notifications.gateways.endpoints import is_allowed
from socialapp.core.outgoing import is_public

SECONDS = 10.0
_MAX_CONNECTIONS = 200
_MAX_CONNECTIONS_PER_SERVICE = 50


class PublicResolver(AbstractResolver):
    """Resolves names to public addresses; the connection uses the address that was checked."""

    def __init__(self) -> None:
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name; OSError if one of them is not public."""
        found = await self._resolver.resolve(host, port, family)
        if not is_allowed(host=host, port=port) and not all(is_public(address["host"]) for address in found):
            raise OSError(f"{host} leads to an address that is not public")
        return found

    async def close(self) -> None:
        """See `AbstractResolver`."""
        await self._resolver.close()


def open_session() -> aiohttp.ClientSession:
    """A session for one event loop, in which it must be closed."""
    connector = aiohttp.TCPConnector(
        resolver=PublicResolver(),
        limit=_MAX_CONNECTIONS,
        limit_per_host=_MAX_CONNECTIONS_PER_SERVICE,
        ttl_dns_cache=60,
        ssl=_tls(),
    )
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    options: dict[str, Any] = {"trust_env": False, "auto_decompress": False, "cookie_jar": aiohttp.DummyCookieJar()}
    return aiohttp.ClientSession(connector=connector, timeout=timeout, **options)


@cache
def _tls() -> ssl.SSLContext:
    """Created once: reading the system's certificates takes 20 ms."""
    return ssl.create_default_context()
