"""Requests to URLs that users or their browsers supplied: link previews, push services, log-in providers.

Server-side request forgery is prevented by resolving a name once, refusing addresses that are not public, and
connecting to the address that was checked. Source: OWASP SSRF Prevention Cheat Sheet.
"""

import ipaddress
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from django.conf import settings

if TYPE_CHECKING:  # loaded by the first outgoing request: few processes make any
    import httpx

_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_USER_AGENT = "socialapp/1.0 (+https://github.com/socialapp)"


class OutgoingError(Exception):
    """The request failed or its response could not be read: unreachable, too slow, too large, or malformed."""


class AddressRefused(OutgoingError):
    """The URL leads to an address that requests may not go to; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one request, redirects included."""

    seconds: float = 5.0
    max_bytes: int = 2 * 2**20
    redirects: int = 3


@dataclass(frozen=True, slots=True)
class Response:
    """The response to a request; `url` is the final URL after redirects. Header names are in lower case."""

    status: int
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


DEFAULT_LIMITS = Limits()


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
    limits: Limits = DEFAULT_LIMITS,
) -> Response:
    """Sends a request and follows redirects, checking each; with `redirects` 0 a redirect is returned as the response.

    Raises AddressRefused or OutgoingError; responses with an error status are returned. Credentials are not sent to
    another origin, and redirects other than 307 and 308 are followed with GET. Do not call it inside a transaction.
    """
    deadline = time.monotonic() + limits.seconds
    sent = {"user-agent": _USER_AGENT, **{name.lower(): value for name, value in (headers or {}).items()}}
    sent["accept-encoding"] = "identity"  # a compressed body may expand a thousandfold
    for _ in range(limits.redirects + 1):
        target = _checked_url(url)
        response = _exchange(method, target, headers=sent, content=content, deadline=deadline, limits=limits)
        location = response.headers.get("location")
        if response.status not in _REDIRECTS or not location or not limits.redirects:
            return response
        url = redirected(url=url, location=location)
        if _origin(_checked_url(url)) != _origin(target):
            sent = {name: value for name, value in sent.items() if name not in _CREDENTIALS}
        if response.status not in (307, 308) and method not in ("GET", "HEAD"):
            method, content = "GET", b""
            sent = {name: value for name, value in sent.items() if not name.startswith("content-")}
    raise OutgoingError("there are too many redirects")


def redirected(*, url: str, location: str) -> str:
    """The URL in a response's Location header; AddressRefused if it is not a URL, such as "http://["."""
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise AddressRefused("this is not a URL") from error


def _exchange(
    method: str, target: "httpx.URL", *, headers: Mapping[str, str], content: bytes, deadline: float, limits: Limits
) -> Response:
    import httpcore
    import httpx

    from socialapp.core.guarded_transport import GuardedBackend

    backend = GuardedBackend(deadline, _public_address)
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), limits.seconds)
    try:
        with httpcore.ConnectionPool(
            network_backend=backend, ssl_context=httpx.create_ssl_context(trust_env=False)
        ) as pool:
            prepared = httpx.Request(method, target, headers=dict(headers), content=content or None)
            with pool.stream(
                method.encode(),
                httpcore.URL(scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path),
                headers=prepared.headers.raw,
                content=content or None,
                extensions={"timeout": timeouts},
            ) as answer:
                received = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
                body = _read(answer.iter_stream(), received, limits.max_bytes)
                return Response(status=answer.status, url=str(target), headers=received, body=body)
    except (
        httpcore.NetworkError,
        httpcore.TimeoutException,
        httpcore.ProtocolError,
        httpcore.ConnectionNotAvailable,
    ) as error:
        raise OutgoingError(f"{target.host} did not answer properly: {type(error).__name__}") from error


def _read(chunks: Iterable[bytes], headers: Mapping[str, str], max_bytes: int) -> bytes:
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > max_bytes:
        raise OutgoingError("the answer is too large")
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise OutgoingError("the answer is too large")
    return bytes(body)


def _checked_url(url: str) -> "httpx.URL":
    import httpx

    try:
        target = httpx.URL(url)
        host, port = target.host, _port(target)  # reading the host of "http://xn--a" fails
    except (httpx.InvalidURL, ValueError, UnicodeError) as error:
        raise AddressRefused("this is not a URL") from error
    if "%" in host:
        raise AddressRefused("this is not a URL")
    if target.scheme not in _PORTS or not host:
        raise AddressRefused("only http and https URLs are allowed")
    if target.userinfo:
        raise AddressRefused("a URL with a user name is not allowed")
    if port != _PORTS[target.scheme] and not _is_allowed(host, port):
        raise AddressRefused("only the standard ports are allowed")
    return target


def _port(target: "httpx.URL") -> int:
    return _PORTS.get(target.scheme, 0) if target.port is None else target.port


def _origin(target: "httpx.URL") -> tuple[str, str, int]:
    return target.scheme, target.host, _port(target)


def _is_allowed(host: str, port: int) -> bool:
    """Whether the operator allows requests to this host although it is not public."""
    return f"{host}:{port}" in settings.OUTGOING_ALLOWED_HOSTS


def _public_address(host: str, port: int, *, deadline: float) -> str:
    """The address to connect to. AddressRefused if any address of the name is not public."""
    addresses = _resolve(host, port, deadline=deadline)
    if not _is_allowed(host, port):
        for address in addresses:
            if not is_public(address):
                raise AddressRefused("the URL leads to an address that is not public")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is public, including addresses that wrap an IPv4 address (mapped, 6to4, NAT64)."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        wrapped = parsed.ipv4_mapped or parsed.sixtofour
        if parsed in _NAT64:
            wrapped = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(str(wrapped))
        if parsed.teredo is not None or parsed.is_site_local:
            return False
    return parsed.is_global and not (parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified)


def _resolve(host: str, port: int, *, deadline: float) -> list[str]:
    """All addresses of a name, IPv4 first. The resolver has no timeout, so it runs in a thread."""
    found: list[str] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(str(answer[4][0]) for answer in sorted(answers, key=_ipv4_first))

    thread = threading.Thread(target=ask, daemon=True, name="resolve")
    thread.start()
    thread.join(max(deadline - time.monotonic(), 0))
    addresses = list(found)
    if not addresses:
        raise OutgoingError(f"{host} has no address")
    return addresses


def _ipv4_first(answer: tuple[Any, ...]) -> bool:
    return bool(answer[0] != socket.AF_INET)
