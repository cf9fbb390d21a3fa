"""Requests to URLs from users: forbidden ones are rejected, and no forbidden server gets a connection."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from socialapp.core import outgoing
from socialapp.core.outgoing import AddressRefused, Limits, OutgoingError


@dataclass
class Trap:
    """A server on loopback that records all connections."""

    port: int
    connections: list[str] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    answer: Callable[[BaseHTTPRequestHandler], None] | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


@pytest.fixture
def trap() -> Iterator[Trap]:
    class Handler(BaseHTTPRequestHandler):
        def setup(self) -> None:
            state.connections.append(self.client_address[0])
            super().setup()

        def do_GET(self) -> None:
            state.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            if state.answer:
                state.answer(self)
                return
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state = Trap(port=server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "127.1",
        "2130706433",
        "0x7f000001",
        "[::1]",
        "[::]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.2.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::ffff:127.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[2002:7f00:1::]",
        "[64:ff9b::7f00:1]",
    ],
)
def test_private_addresses_are_rejected(host: str) -> None:
    with pytest.raises(AddressRefused, match="not public"):
        outgoing.request("GET", f"http://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "http://",
        "http://0177.0.0.1/",
        "//example.org",
        "http://[",
        "https://xn--a.example/",
        "",
        "http://user:secret@example.org/",
        "http://example.org:22/",
        "https://example.org:80/",
        "http://example.org:0/",
    ],
)
def test_urls_with_other_schemes_are_rejected(url: str) -> None:
    with pytest.raises(AddressRefused):
        outgoing.request("GET", url)


def test_public_addresses_are_distinguished_from_others() -> None:
    assert outgoing.is_public("93.184.216.34")
    assert outgoing.is_public("2606:2800:220:1:248:1893:25c8:1946")
    assert outgoing.is_public("::ffff:93.184.216.34")
    assert not outgoing.is_public("fe80::1%eth0")


def test_a_name_that_also_has_a_private_address_is_rejected(trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("93.184.216.34", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: answers)
    with pytest.raises(AddressRefused):
        outgoing.request("GET", "http://rebinding.example/")
    assert trap.connections == []


def test_a_name_is_resolved_once(trap: Trap, monkeypatch: pytest.MonkeyPatch, settings: object) -> None:
    settings.OUTGOING_ALLOWED_HOSTS = [f"rebinding.example:{trap.port}"]  # type: ignore[attr-defined]
    real, asked = socket.getaddrinfo, []

    def resolve(host: str, *args: object, **options: object) -> object:
        if host == "rebinding.example":
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", trap.port))]
        return real(host, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    answer = outgoing.request("GET", f"http://rebinding.example:{trap.port}/")
    assert (answer.status, answer.body) == (200, b"hello")
    assert asked == ["rebinding.example"]
    assert trap.requests[0][1]["host"] == f"rebinding.example:{trap.port}"


def test_a_redirect_to_a_private_address_is_rejected(trap: Trap, settings: object) -> None:
    settings.OUTGOING_ALLOWED_HOSTS = [trap.host]  # type: ignore[attr-defined]

    def redirect(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "http://169.254.169.254/latest/meta-data/")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    trap.answer = redirect
    with pytest.raises(AddressRefused, match="not public"):
        outgoing.request("GET", f"http://{trap.host}/")
    assert len(trap.requests) == 1


def test_three_redirects_are_followed_and_a_fourth_is_not(trap: Trap, settings: object) -> None:
    settings.OUTGOING_ALLOWED_HOSTS = [trap.host]  # type: ignore[attr-defined]

    def count_down(handler: BaseHTTPRequestHandler) -> None:
        left = int(handler.path[1:])
        handler.send_response(302 if left else 200)
        handler.send_header("Location", f"/{left - 1}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    trap.answer = count_down
    assert outgoing.request("GET", f"http://{trap.host}/3").url == f"http://{trap.host}/0"
    with pytest.raises(OutgoingError, match="too many redirects"):
        outgoing.request("GET", f"http://{trap.host}/4")


def test_credentials_are_not_sent_to_other_origins(trap: Trap, settings: object) -> None:
    settings.OUTGOING_ALLOWED_HOSTS = [trap.host, f"localhost:{trap.port}"]  # type: ignore[attr-defined]

    def redirect(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200 if handler.path == "/there" else 307)
        handler.send_header("Location", f"http://localhost:{trap.port}/there")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    trap.answer = redirect
    outgoing.request(
        "POST", f"http://{trap.host}/", headers={"Authorization": "Bearer x", "TTL": "60"}, content=b"body"
    )
    assert [path for path, _ in trap.requests] == ["/", "/there"]
    assert trap.requests[0][1]["authorization"] == "Bearer x"
    assert "authorization" not in trap.requests[1][1]
    assert trap.requests[1][1]["ttl"] == "60"


@pytest.mark.parametrize("declared", [True, False])
def test_a_response_that_is_too_large_is_not_read(trap: Trap, settings: object, declared: bool) -> None:
    settings.OUTGOING_ALLOWED_HOSTS = [trap.host]  # type: ignore[attr-defined]

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        if declared:
            handler.send_header("Content-Length", "2000")
        handler.end_headers()
        handler.wfile.write(b"x" * 2000)

    trap.answer = send
    with pytest.raises(OutgoingError, match="too large"):
        outgoing.request("GET", f"http://{trap.host}/", limits=Limits(max_bytes=1000))


def test_a_slow_response_is_aborted_at_the_deadline(trap: Trap, settings: object) -> None:
    settings.OUTGOING_ALLOWED_HOSTS = [trap.host]  # type: ignore[attr-defined]
    left = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not left.wait(0.05):
            try:
                handler.wfile.write(b"x")
            except OSError:
                return

    trap.answer = drip
    started = time.monotonic()
    with pytest.raises(OutgoingError):
        outgoing.request("GET", f"http://{trap.host}/", limits=Limits(seconds=0.4))
    left.set()
    assert time.monotonic() - started < 10, "it drips on for as long as it is read"


def test_an_unreachable_server_raises_an_error(settings: object) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings.OUTGOING_ALLOWED_HOSTS = [f"127.0.0.1:{port}"]  # type: ignore[attr-defined]
    with pytest.raises(OutgoingError) as refused:
        outgoing.request("GET", f"http://127.0.0.1:{port}/")
    assert not isinstance(refused.value, AddressRefused)
