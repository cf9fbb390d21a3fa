"""After a few timeouts, a circuit breaker stops requests to a hanging Elasticsearch for a while."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from apps.search.queries import Hit, Viewer, Window, elastic, parse
from socialapp.core.errors import Unavailable


@pytest.fixture
def hanging() -> Iterator[socket.socket]:
    """A server that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        listener.setblocking(False)
        yield listener


def _connections(listener: socket.socket) -> int:
    taken = []
    try:
        while True:
            taken.append(listener.accept()[0])
    except BlockingIOError:
        return len(taken)
    finally:
        for connection in taken:
            connection.close()


def _ask() -> None:
    with pytest.raises(Unavailable), elastic.answering():
        elastic.elasticsearch().count()  # type: ignore[attr-defined]


def test_after_several_timeouts_no_requests_are_sent(
    hanging: socket.socket, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elastic, "OPEN_SECONDS", 600.0)
    settings.ELASTICSEARCH_URL = f"http://127.0.0.1:{hanging.getsockname()[1]}"
    settings.ELASTICSEARCH_SECONDS = 0.2
    for _ in range(elastic.FAULTS_TO_OPEN):
        _ask()
    assert _connections(hanging) == elastic.FAULTS_TO_OPEN
    for _ in range(20):
        _ask()
    assert _connections(hanging) == 0


def test_after_the_pause_requests_are_sent_again(
    hanging: socket.socket, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elastic, "OPEN_SECONDS", 0.0)
    settings.ELASTICSEARCH_URL = f"http://127.0.0.1:{hanging.getsockname()[1]}"
    settings.ELASTICSEARCH_SECONDS = 0.2
    for _ in range(6):
        _ask()
    assert _connections(hanging) == 6, "each request after the pause is a probe"
    with elastic.answering():
        pass
    _ask()
    assert _connections(hanging) == 1


class _OutOfTime(BaseHTTPRequestHandler):
    """Responds as Elasticsearch does when its own timeout expires: with the hits found so far."""

    body = b'{"timed_out":true,"_shards":{"failed":0},"hits":{"hits":[{"sort":[1]}]}}'

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = self.body
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.elasticsearch+json; compatible-with=9")
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing."""


class _Closing(_OutOfTime):
    """Responds in time, then closes the connection without announcing it."""

    protocol_version = "HTTP/1.1"
    body = _OutOfTime.body.replace(b"true", b"false")

    def do_POST(self) -> None:
        super().do_POST()
        self.close_connection = True


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler], port: int = 0) -> Iterator[int]:
    with HTTPServer(("127.0.0.1", port), handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            serving.join()


def _search() -> list[Hit]:
    return elastic.ElasticIndex().posts(parse("kite"), {}, Viewer(None, [], []), Window(10))


def test_incomplete_hits_are_rejected(settings: Any) -> None:
    with _serving(_OutOfTime) as port:
        settings.ELASTICSEARCH_URL = f"http://127.0.0.1:{port}"
        with pytest.raises(Unavailable):
            _search()


def test_a_closed_connection_is_reopened(settings: Any) -> None:
    with _serving(_Closing) as port:
        settings.ELASTICSEARCH_URL = f"http://127.0.0.1:{port}"
        assert _search() == [Hit(1, (1,))]
    with _serving(_Closing, port):
        assert _search() == [Hit(1, (1,))]
    with pytest.raises(Unavailable):
        _search()
