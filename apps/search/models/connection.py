"""The transport to Elasticsearch: a connection kept per thread, as a search is one small request."""

import select
import threading
import time
from http.client import HTTPConnection, HTTPException
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


class ThreadNode(BaseNode):
    """A node behind plain HTTP. urllib3's pool, retries and headers take three times as long as the request."""

    _CLIENT_META_HTTP_CLIENT = ("hc", "1")

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self._own = threading.local()

    def perform_request(  # type: ignore[override]
        self, method: str, target: str, body: bytes | None = None, headers: Any = None, request_timeout: Any = DEFAULT
    ) -> TransportApiResponse:
        """See `BaseNode`: ConnectionTimeout and ConnectionError where there is no answer, whatever its status is."""
        start = time.monotonic()
        connection = self._connection(self.config.request_timeout if request_timeout is DEFAULT else request_timeout)
        try:
            connection.request(
                method, self.path_prefix + target, body=body, headers={**self.headers, **(headers or {})}
            )
            response = connection.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            connection.close()
            kind = ConnectionTimeout if isinstance(error, TimeoutError) else NoConnection
            raise kind(str(error) or type(error).__name__, errors=(error,)) from error
        meta = ApiResponseMeta(
            status=response.status,
            http_version="1.1",
            headers=HttpHeaders(response.getheaders()),
            duration=time.monotonic() - start,
            node=self.config,
        )
        return TransportApiResponse(meta, content)

    def close(self) -> None:
        """Closes the connection of this thread; others close with their threads."""
        self._connection(None).close()

    def _connection(self, seconds: float | None) -> HTTPConnection:
        connection: _OwnConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = _OwnConnection(self.host, self.port)
        connection.limit(seconds)
        return connection


class _OwnConnection(HTTPConnection):
    """A connection that reopens itself if the other side has closed it."""

    def limit(self, seconds: float | None) -> None:
        """Sets the timeout of the next request's network operations."""
        self.timeout = seconds
        if self.sock is None:
            return
        waiting = select.poll()
        waiting.register(self.sock, select.POLLIN)
        if waiting.poll(0):  # readable before a request: the other side has closed it
            self.close()
        else:
            self.sock.settimeout(seconds)

    def __del__(self) -> None:
        self.close()
