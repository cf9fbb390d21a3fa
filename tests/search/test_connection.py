"""The transport to Elasticsearch: what it sends, and which responses it accepts."""

import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from elastic_transport import ConnectionError as NoConnection
from elastic_transport import NodeConfig

from apps.search.models.connection import ThreadNode

_HEADERS = b"HTTP/1.1 200 OK\r\nX-Elastic-Product: Elasticsearch\r\n"


@contextmanager
def _answering(*answers: bytes) -> Iterator[tuple[ThreadNode, list[bytes]]]:
    """A node whose server reads once from a connection, answers and closes it; and what the server has read."""
    read: list[bytes] = []

    def serve() -> None:
        for answer in answers:
            accepted, _ = listener.accept()
            with accepted:
                read.append(accepted.recv(65_536))
                accepted.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=serve)
        serving.start()
        node = ThreadNode(NodeConfig("http", "127.0.0.1", listener.getsockname()[1], request_timeout=60))
        yield node, read
        serving.join(timeout=60)
        node.close()


def test_headers_and_body_are_sent_at_once() -> None:
    with _answering(_HEADERS + b"Content-Length: 2\r\n\r\n{}") as (node, read):
        answer = node.perform_request("POST", "/_search?a=b", body=b'{"query":1}', headers={"accept": "text/plain"})
    lines = read[0].split(b"\r\n")
    assert lines[0] == b"POST /_search?a=b HTTP/1.1"
    assert {b"accept: text/plain", b"content-length: 11", b"host: 127.0.0.1:%d" % node.port} <= set(lines)
    assert lines[-1] == b'{"query":1}'
    assert (answer.meta.status, answer.body) == (200, b"{}")
    assert answer.meta.headers["x-elastic-product"] == "Elasticsearch"


def test_a_body_in_chunks_is_joined() -> None:
    with _answering(_HEADERS + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n") as (node, _):
        assert node.perform_request("GET", "/").body == b"abcde"


def test_a_response_to_head_has_no_body() -> None:
    answers = _HEADERS + b"Content-Length: 5\r\n\r\n", _HEADERS + b"Content-Length: 2\r\n\r\n{}"
    with _answering(*answers) as (node, _):
        assert node.perform_request("HEAD", "/").body == b""
        assert node.perform_request("GET", "/").body == b"{}"


@pytest.mark.parametrize("answer", [b"", b"hello", _HEADERS, _HEADERS + b"Content-Length: 5\r\n\r\nab"])
def test_anything_but_a_whole_response_is_no_answer(answer: bytes) -> None:
    with _answering(answer) as (node, _), pytest.raises(NoConnection):
        node.perform_request("GET", "/")


def test_a_connection_closes_with_its_thread() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        node = ThreadNode(NodeConfig("http", "127.0.0.1", listener.getsockname()[1], request_timeout=60))
        asking = threading.Thread(target=node.perform_request, args=("GET", "/"))
        gc.disable()  # it must not have to wait for that
        try:
            asking.start()
            accepted, _ = listener.accept()
            with accepted:
                accepted.settimeout(60)
                accepted.recv(65_536)
                accepted.sendall(_HEADERS + b"Content-Length: 2\r\n\r\n{}")
                asking.join(timeout=60)
                assert accepted.recv(1) == b""
        finally:
            gc.enable()
