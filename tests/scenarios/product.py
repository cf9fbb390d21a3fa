"""Starts the product with `./run` as a user would, and uses it over HTTP and WebSocket."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, TypeVar

import httpx
from kombu import Connection
from websockets.sync.client import ClientConnection, connect

from socialapp.core.contexts import CONTEXTS
from tests.migrated import copy_migrated, create_migrated, drop_databases

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"
T = TypeVar("T")
_WORKERS = 8  # the maximum of test processes of ./test
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
_given_ports: set[int] = set()


def eventually(check: Callable[[], T], *, seconds: float = 60.0) -> T:
    """Calls `check` until its result is true, and returns it; AssertionError with the last result after the timeout."""
    started = time.monotonic()
    while True:
        try:
            found = check()
            failure: object = found
            if found:
                return found
        except AssertionError as error:
            failure = error
        waited = time.monotonic() - started
        if waited > seconds:
            raise AssertionError(f"not true after {seconds} s: {failure!r}")
        time.sleep(pause_after(waited))


def pause_after(waited: float) -> float:
    """The seconds until the next look, a tenth of those waited so far: every look takes CPU from what is awaited."""
    return min(max(_SHORTEST_PAUSE, waited / 10), _LONGEST_PAUSE)


def _client_without_cookies() -> httpx.Client:
    """A client without cookies, for many users: the cookies of all their devices would not fit into one request."""
    client = httpx.Client(timeout=60)
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client


@dataclass
class Product:
    """A running product."""

    url: str
    environment: dict[str, str]
    process: "subprocess.Popen[bytes]"
    http: httpx.Client = field(default_factory=_client_without_cookies)

    def call(self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str) -> httpx.Response:
        """Sends a request; a 5xx always fails the test."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        content = None if body is None else json.dumps(body)
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        answer = self.http.request(method, self.url + path, content=content, headers=sent)
        assert answer.status_code < 500, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def join(self, name: str, **profile: Any) -> "Member":
        """Registers a user whose username begins with `name`, and fills in the profile."""
        username = f"{name}_{secrets.token_hex(4)}"
        body = {
            "email": f"{username}@example.org",
            "password": PASSWORD,
            "username": username,
            "full_name": name.title(),
        }
        answer = self.call("POST", "/v1/auth/register", body)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        member = Member(self, made["user"]["id"], username, made["access"], made["refresh"])
        if profile:
            assert member.patch("/v1/profiles/me", profile).status_code == 200
        return member

    def manage(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Runs a command of `./run manage` in the product's environment."""
        command = [str(ROOT / "run"), "manage", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=check, timeout=300)


@dataclass
class Member:
    """A user of the product."""

    product: Product
    id: str
    username: str
    access: str
    refresh: str

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.product.call(method, path, body, token=self.access, **headers)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.call("POST", path, {} if body is None else body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.call("PUT", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.call("PATCH", path, body, **headers)

    def delete(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.call("DELETE", path, body, **headers)

    def follow(self, other: "Member") -> dict[str, Any]:
        answer = self.put(f"/v1/profiles/{other.id}/follow")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def write(self, content: str, **fields: Any) -> dict[str, Any]:
        answer = self.post("/v1/posts", {"content": content, **fields})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def all_of(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """All items of a list, from all pages."""
        items: list[dict[str, Any]] = []
        answer = self.get(path + ("?" + str(httpx.QueryParams(query)) if query else ""))
        while True:
            assert answer.status_code == 200, answer.text
            page = answer.json()
            items += page["results"]
            if page["next"] is None:
                return items
            following = page["next"].removeprefix(self.product.url)
            answer = self.get(following)

    def feed_ids(self) -> list[str]:
        return [post["id"] for post in self.all_of("/v1/feed")]

    @contextmanager
    def socket(self, **options: Any) -> Iterator["Socket"]:
        """The notification socket, after its `ready`."""
        url = self.product.url.replace("http", "ws", 1) + "/ws/notifications/"
        with connect(url, subprotocols=["bearer", self.access], open_timeout=60, **options) as connection:  # type: ignore[list-item]
            opened = Socket(connection)
            opened.ready = opened.next("ready")
            yield opened


class Socket:
    """A WebSocket that speaks JSON."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.ready: dict[str, Any] = {}

    def send(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def next(self, kind: str, *, seconds: float = 30.0) -> dict[str, Any]:
        """The next message of a type; skips others."""
        deadline = time.monotonic() + seconds
        while True:
            message = json.loads(self.connection.recv(timeout=max(deadline - time.monotonic(), 0.01)))
            if message["type"] == kind:
                return dict(message)

    def quiet(self, *, seconds: float = 0.7) -> bool:
        """Whether no message arrives for a while."""
        try:
            self.connection.recv(timeout=seconds)
        except TimeoutError:
            return True
        return False


def free_port() -> int:
    """A free port below those that systems use for outgoing connections, and that `./run` draws for its Valkey.

    Each port is returned once, even across concurrent test processes.

    Otherwise a client that reconnects to a stopped server could get the server's port and connect to itself.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER") or os.environ.get("TEST_PORTS") or "gw0"
    number = int(worker.removeprefix("gw"))
    while True:
        port = secrets.choice(range(10_000 + number % _WORKERS, 20_000, _WORKERS))
        if port in _given_ports:
            continue
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _given_ports.add(port)
            return port


def start_product(data_dir: Path, services: dict[str, str]) -> Product:
    """Starts `./run` in its own folder and waits until it is ready."""
    if "DATABASE_URL" not in services:
        copy_migrated(data_dir / "db")
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.endswith(("DATABASE_URL", "_URL", "_KEY"))},
        **services,
        "SOCIALAPP_PYTHON": sys.executable,
        "DATA_DIR": str(data_dir),
        "PORT": str(port),
        "RATE_LIMITS": "off",
    }
    with (data_dir / "run.log").open("wb") as log:
        process = subprocess.Popen(
            [str(ROOT / "run"), "--no-demo"], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    product = Product(f"http://127.0.0.1:{port}", environment, process)
    try:
        eventually(lambda: _ready(product, data_dir), seconds=180)
    except AssertionError:
        stop_product(product)
        raise AssertionError((data_dir / "run.log").read_text()[-3000:]) from None
    return product


def _ready(product: Product, data_dir: Path) -> bool:
    if product.process.poll() is not None:
        raise RuntimeError((data_dir / "run.log").read_text()[-3000:])
    try:
        return product.http.get(f"{product.url}/health/ready").status_code == 200
    except httpx.HTTPError:
        return False


def stop_product(product: Product) -> None:
    """Stops it as Ctrl-C does, and kills it after 15 s."""
    product.http.close()
    if product.process.poll() is None:
        product.process.send_signal(signal.SIGINT)
        try:
            product.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(product.process.pid, signal.SIGKILL)


@contextmanager
def own_services(*, embedded: bool = False) -> Iterator[dict[str, str]]:
    """The variables with the servers' URLs, with separate databases and queues; none for the embedded default.

    The databases are migrated; starting on empty ones is tested with ./run and the demo data.
    """
    if embedded or "mysql" not in os.environ.get("DATABASE_URL", ""):
        yield {}
        return
    run = f"scn_{secrets.token_hex(3)}"
    base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    services = {
        name: os.environ[name] for name in ("REDIS_URL", "BROKER_URL", "ELASTICSEARCH_URL") if os.environ.get(name)
    }
    url, names = f"{base}/{run}_{{context}}", {context: f"{run}_{context}" for context in CONTEXTS}
    create_migrated(url, names)
    try:
        yield {
            **services,
            "DATABASE_URL": url,
            "REDIS_PREFIX": f"{run}:",
            "QUEUE_PREFIX": f"{run}.",
            "ELASTICSEARCH_PREFIX": run,
        }
    finally:
        drop_databases(url, names.values())
        drop_queues(services.get("BROKER_URL", ""), f"{run}.")


def drop_queues(broker: str, prefix: str) -> None:
    """Deletes an installation's queues in RabbitMQ; Redis drops empty ones by itself."""
    if broker.startswith("amqp"):
        with Connection(broker) as connection, connection.channel() as channel:
            queues: Any = channel  # kombu's types do not declare methods of transports
            for name in CONTEXTS:
                for kind in ("events", "tasks", "slow"):
                    queues.queue_delete(f"{prefix}{kind}.{name}")
