"""Connections for `socialapp.core.outgoing`: to checked addresses, with a deadline."""

import time
from typing import Any, Protocol

import httpcore


class FindAddress(Protocol):
    """Resolves a name to the address to connect to; raises if connecting is not allowed."""

    def __call__(self, host: str, port: int, *, deadline: float) -> str:
        """The address; `deadline` is of time.monotonic()."""
        ...


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to public addresses only, and aborts everything at the deadline."""

    def __init__(self, deadline: float, find_address: FindAddress) -> None:
        self._deadline = deadline
        self._find_address = find_address
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """A connection to the checked address. TLS still verifies the name."""
        address = self._find_address(host, port, deadline=self._deadline)
        stream = self._backend.connect_tcp(address, port, _seconds_left(self._deadline))
        return _TimedStream(stream, self._deadline)


class _TimedStream(httpcore.NetworkStream):
    """A connection on which no operation continues past the deadline, however slowly the other side sends."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See `NetworkStream.read`."""
        return self._stream.read(max_bytes, _seconds_left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See `NetworkStream.write`."""
        self._stream.write(buffer, _seconds_left(self._deadline))

    def close(self) -> None:
        """See `NetworkStream.close`."""
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """See `NetworkStream.start_tls`."""
        stream = self._stream.start_tls(ssl_context, server_hostname, _seconds_left(self._deadline))
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """See `NetworkStream.get_extra_info`."""
        return self._stream.get_extra_info(info)


def _seconds_left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.TimeoutException("the deadline has passed")
    return left
