"""The transport to Elasticsearch: a connection kept per thread, as a search is one small request."""

import select
import socket
import threading
import time
from typing import Any

from elastic_transport import (
    ApiResponseMeta,
    BaseNode,
    ConnectionTimeout,
    HttpHeaders,
    NodeConfig,
    TransportApiResponse,
)
from elastic_transport import ConnectionError as NoConnection
from elastic_transport.client_utils import DEFAULT
from httptools import HttpParserError, HttpResponseParser

_READ_BYTES = 65_536


class ThreadNode(BaseNode):
    """A node behind plain HTTP.

    urllib3's pool, retries and headers take three times as long as the request. `http.client` sends headers and body
    one after the other, so that Elasticsearch reads twice, and parses the headers of a response as those of a mail.
    """

    _CLIENT_META_HTTP_CLIENT = ("ht", "0")

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self._own = threading.local()
        host = f"[{self.host}]" if ":" in self.host else self.host
        self._same_headers = {"host": f"{host}:{self.port}", **dict(self.headers.items())}

    def perform_request(  # type: ignore[override]
        self, method: str, target: str, body: bytes | None = None, headers: Any = None, request_timeout: Any = DEFAULT
    ) -> TransportApiResponse:
        """See `BaseNode`: ConnectionTimeout and ConnectionError where there is no answer, whatever its status is."""
        start = time.monotonic()
        seconds = self.config.request_timeout if request_timeout is DEFAULT else request_timeout
        request = self._written(method, target, body or b"", headers or {})
        try:
            response = self._connection(seconds).exchange(request, is_head=method == "HEAD")
        except (OSError, HttpParserError) as error:
            self.close()
            kind = ConnectionTimeout if isinstance(error, TimeoutError) else NoConnection
            raise kind(str(error) or type(error).__name__, errors=(error,)) from error
        meta = ApiResponseMeta(
            status=response.status,
            http_version="1.1",
            headers=HttpHeaders(response.headers),
            duration=time.monotonic() - start,
            node=self.config,
        )
        return TransportApiResponse(meta, b"".join(response.body))

    def close(self) -> None:
        """Closes the connection of this thread; others close with their threads."""
        connection: _Connection | None = self._own.__dict__.pop("connection", None)
        if connection:
            connection.close()

    def _written(self, method: str, target: str, body: bytes, headers: Any) -> bytes:
        named = {**self._same_headers, **headers, "content-length": str(len(body))}
        lines = [f"{name}: {value}\r\n" for name, value in named.items()]
        return f"{method} {self.path_prefix}{target} HTTP/1.1\r\n{''.join(lines)}\r\n".encode("latin-1") + body

    def _connection(self, seconds: float | None) -> "_Connection":
        """The connection of this thread, a new one if the other side has closed it."""
        connection: _Connection | None = self._own.__dict__.get("connection")
        if connection and connection.is_usable():
            connection.limit(seconds)
            return connection
        self.close()
        self._own.connection = opened = _Connection(socket.create_connection((self.host, self.port), seconds))
        return opened


class _Response:
    """The last response of a connection, of which the parser tells its `on_…` methods.

    It and the parser refer to each other, so it is apart from the connection, which thus closes with its thread.
    """

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self.is_kept = True
        self.await_next(is_head=False)

    def await_next(self, *, is_head: bool) -> None:
        """Makes it ready for the response to another request."""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body: list[bytes] = []
        self._is_head, self.is_complete = is_head, False

    def feed(self, data: bytes) -> None:
        """Parses a part of it."""
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self.headers[name.decode("latin-1")] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """All headers. The parser would wait for the body that a response to HEAD announces, but does not have."""
        self.status = self._parser.get_status_code()
        self.is_kept = self._parser.should_keep_alive() and not self._is_head
        self.is_complete = self._is_head

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        self.body.append(part)

    def on_message_complete(self) -> None:
        """The end of the response."""
        self.is_complete = True


class _Connection:
    """An open connection, and the last response read from it."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._waiting = select.poll()
        self._waiting.register(self._socket, select.POLLIN)
        self._response = _Response()

    def is_usable(self) -> bool:
        """Whether it can send another request: what is readable before one is the end of the connection."""
        return self._response.is_kept and not self._waiting.poll(0)

    def limit(self, seconds: float | None) -> None:
        """Sets the timeout of the next request's network operations."""
        if seconds != self._socket.gettimeout():
            self._socket.settimeout(seconds)

    def exchange(self, request: bytes, *, is_head: bool) -> _Response:
        """Sends a request and reads the response."""
        response = self._response
        response.await_next(is_head=is_head)
        self._socket.sendall(request)
        while not response.is_complete:
            data = self._socket.recv(_READ_BYTES)
            if not data:
                raise ConnectionError("closed before the end of the response")
            response.feed(data)
        return response

    def close(self) -> None:
        """Closes it."""
        self._socket.close()

    def __del__(self) -> None:
        self.close()
