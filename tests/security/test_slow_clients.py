"""Clients that send or read slowly delay nobody else: on a real `./run`, with its gateway."""

import base64
import contextlib
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.run.installation import Installation, until
from tests.security.people import join

MOST_SECONDS = 0.5
QUICK_WITHIN = 60
# Growth instead of size: the server's initial size depends on the machine.
MOST_KIB_FOR_ONE = 128
MOST_KIB_FOR_ONE_LARGE = 600
POST = "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{length}\r\n\r\n{{"


class Clients:
    """Open connections that are closed at the end."""

    def __init__(self, installation: Installation) -> None:
        self.port = int(installation.environment["PORT"])
        self.host = f"127.0.0.1:{self.port}"
        self._open: list[socket.socket] = []

    def send(self, text: str, *, buffer: int = 0) -> socket.socket:
        """A connection that has sent this and sends nothing more."""
        client = socket.socket()
        if buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.settimeout(10)
        client.connect(("127.0.0.1", self.port))
        client.sendall(text.encode())
        self._open.append(client)
        return client

    def send_what_is_taken(self, text: str) -> None:
        """A connection that keeps sending this until nobody reads it."""
        client = self.send("")
        client.settimeout(0.05)
        with contextlib.suppress(TimeoutError, ConnectionError):
            client.sendall(text.encode())

    def slow_headers(self, count: int) -> None:
        for _ in range(count):
            self.send(f"GET /v1/hashtags/trending HTTP/1.1\r\nHost: {self.host}\r\nX-Slow: ")

    def slow_bodies(self, count: int, *, path: str = "/v1/auth/login", length: str = "Content-Length: 900") -> None:
        for _ in range(count):
            self.send(POST.format(path=path, host=self.host, length=length))

    def slow_readers(self, count: int) -> None:
        for number in range(count):
            path = ("/v1/schema", "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js")[number % 2]
            request = f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nAccept-Encoding: identity\r\n\r\n"
            self.send(request, buffer=4096)

    def idle_sockets(self, count: int) -> None:
        for _ in range(count):
            key = base64.b64encode(secrets.token_bytes(16)).decode()
            self.send(
                f"GET /ws/notifications/ HTTP/1.1\r\nHost: {self.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
                "Sec-WebSocket-Protocol: bearer, not-a-token\r\n\r\n"
            )

    def close(self) -> None:
        for client in self._open:
            client.close()


@pytest.fixture
def clients(installation: Installation) -> Iterator[Clients]:
    opened = Clients(installation)
    with contextlib.closing(opened):
        yield opened


def until_quick(installation: Installation) -> float:
    """Waits, for less time than slow clients last, for a second of only quick responses; returns how long it took.

    The machine may be busy with other work; but threads that are blocked stay blocked.
    """
    return until(
        lambda: slowest_answer(installation, seconds=1.0) < MOST_SECONDS, seconds=QUICK_WITHIN, why="never quick again"
    )


def slowest_answer(installation: Installation, *, seconds: float) -> float:
    """The durations of requests sent one after the other for a while."""
    slowest, end = 0.0, time.monotonic() + seconds
    with httpx.Client(base_url=installation.url, timeout=QUICK_WITHIN) as http:
        while time.monotonic() < end:
            for path in ("/health/live", "/v1/hashtags/trending"):
                started_at = time.monotonic()
                assert http.get(path).status_code == 200
                slowest = max(slowest, time.monotonic() - started_at)
    return slowest


def warm_memory(installation: Installation) -> float:
    """The server's memory, in MiB, after it has served each kind of request once."""
    with httpx.Client(base_url=installation.url, timeout=30) as http:
        for path in ("/v1/schema", "/admin/login/", "/v1/search?q=x", "/v1/hashtags/trending"):
            assert http.get(path).status_code == 200
        http.post("/v1/auth/login", json={"login": "nobody", "password": "no such password"})
    return installation.written_mib()


def settled_memory(installation: Installation) -> float:
    """The server's memory, in MiB, once it no longer grows: events of earlier requests have been handled."""
    before, found = 0.0, warm_memory(installation)
    for _ in range(20):
        if found - before < 1:
            break
        time.sleep(1)
        before, found = found, installation.written_mib()
    return found


@pytest.mark.parametrize(
    ("path", "length"),
    [
        ("/v1/auth/login", "Content-Length: 900"),
        ("/v1/auth/login", "Content-Length: 2000000"),
        ("/v1/auth/login", "Transfer-Encoding: chunked\r\nX: 1"),
        ("/v1/nothing", "Content-Length: 900"),
        ("/admin/login/", "Content-Length: 900"),
        ("/v1/media", "Content-Length: 900"),
        ("/v1/media", "Content-Length: 60000000"),
    ],
)
def test_slow_bodies_block_no_thread(installation: Installation, clients: Clients, path: str, length: str) -> None:
    clients.slow_bodies(30, path=path, length=length)
    until_quick(installation)


def test_an_oversized_body_is_refused(installation: Installation) -> None:
    answer = httpx.post(f"{installation.url}/v1/auth/login", content=b"{" * 3_000_000)
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, "application/problem+json")


def test_unfinished_large_bodies_leave_threads_to_others(installation: Installation, clients: Clients) -> None:
    for _ in range(8):
        client = clients.send(POST.format(path="/v1/media", host=clients.host, length="Content-Length: 60000000"))
        with contextlib.suppress(TimeoutError, ConnectionError):
            client.sendall(b"x" * 3_000_000)
    until_quick(installation)


def test_slow_clients_of_all_kinds_leave_the_server_quick_and_small(
    installation: Installation, clients: Clients, record_property: Any
) -> None:
    before = warm_memory(installation)
    clients.slow_headers(200)
    clients.slow_bodies(200)
    clients.slow_readers(200)
    clients.idle_sockets(1000)
    passed = until_quick(installation)
    grown = installation.written_mib() - before
    record_property("measured: seconds until all answers were quick among 1,600 slow clients", f"{passed:.1f}")
    record_property("measured: memory for 1,600 slow clients", f"{grown:.0f} MiB")
    assert grown * 1024 / 1600 < MOST_KIB_FOR_ONE


@pytest.mark.parametrize("kind", ["headers", "bodies", "chunks"])
def test_unfinished_requests_take_little_memory(installation: Installation, clients: Clients, kind: str) -> None:
    before = warm_memory(installation)
    head = POST.format(
        path="/v1/auth/login",
        host=clients.host,
        length="Transfer-Encoding: chunked" if kind == "chunks" else "Content-Length: 1990000",
    )[:-1]
    text = {
        "headers": f"GET /health/live HTTP/1.1\r\nHost: {clients.host}\r\nX-Slow: {'x' * 1_000_000}",
        "chunks": f"{head}{1_990_000:x}\r\n{'x' * 1_900_000}",
    }.get(kind, head + "x" * 1_900_000)
    for _ in range(150):
        clients.send_what_is_taken(text)
    assert (installation.written_mib() - before) * 1024 / 150 < MOST_KIB_FOR_ONE_LARGE
    clients.close()
    until_quick(installation)


@pytest.mark.parametrize("path", ["/health/live", "/", "/v1/posts?ids=1", "/ws/notifications/", "/static/docs.css"])
def test_the_gateway_serves_known_hosts_only(installation: Installation, path: str) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80"):
        answer = httpx.get(installation.url + path, headers={"Host": host})
        assert answer.status_code == 400
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_data_folder_is_readable_by_its_owner_only(installation: Installation) -> None:
    folder = Path(installation.environment["DATA_DIR"])
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path for path in folder.rglob("*") if path.lstat().st_mode & 0o077] == []


def test_a_path_cannot_forge_a_line_on_the_terminal(installation: Installation) -> None:
    httpx.get(f"{installation.url}/v1/x%0a22:22:22%20web%20%20forged%1b[2J")
    httpx.get(f"{installation.url}/v1/after")
    until(lambda: "/v1/after" in installation.said(), why="the line was never written")
    lines = installation.said().splitlines()
    assert not [line for line in lines if line.startswith("22:22:22 web  forged") or "\x1b" in line]
    assert any(r"/v1/x\n22:22:22 web  forged\x1b[2J" in line for line in lines)


def frame(opcode: int, payload: bytes, *, is_last: bool = True) -> bytes:
    """A masked frame with up to 125 bytes. Source: RFC 6455, section 5.2."""
    return bytes([(0x80 if is_last else 0) | opcode, 0x80 | len(payload), 0, 0, 0, 0]) + payload


PING, TEXT, CONTINUATION, PONG = 9, 1, 0, 10
FLOODS = {
    "pings": frame(PING, b"x" * 125),
    "pongs": frame(PONG, b"x" * 125),
    "empty pings": frame(PING, b""),
    "messages": frame(TEXT, b'{"type":"ping"}'),
    "fragments": frame(CONTINUATION, b"x", is_last=False),
}


@pytest.mark.parametrize("name", FLOODS)
@pytest.mark.parametrize("has_token", [False, True])
def test_a_flooding_websocket_is_closed_and_takes_little_memory(
    installation: Installation, clients: Clients, name: str, has_token: bool
) -> None:
    token = join(installation).access if has_token else "not-a-token"
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    handshake = (
        f"GET /ws/notifications/ HTTP/1.1\r\nHost: {clients.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: bearer, {token}\r\n\r\n"
    )
    clients.send(handshake)  # for the first connection, the server loads code
    before = settled_memory(installation)
    client = clients.send(handshake, buffer=4096)
    if name == "fragments":
        client.sendall(frame(TEXT, b"{", is_last=False))
    sent, flood = 0, FLOODS[name] * 1000
    with contextlib.suppress(ConnectionError, TimeoutError):
        while sent < 60_000_000:
            client.sendall(flood)
            sent += len(flood)
    assert sent < 6_000_000, "the connection was not closed"
    assert installation.written_mib() - before < 20
