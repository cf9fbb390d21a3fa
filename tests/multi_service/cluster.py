"""Starts the product as several services behind the gateway, each with its own databases and secrets."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import psutil
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from socialapp.core.contexts import CONTEXTS
from tests.forked import Forked, manage
from tests.gateway.nginx import Gateway
from tests.migrated import copy_migrated
from tests.scenarios.product import Product, drop_queues, eventually, free_port, pause_after

SPLITS: dict[str, dict[str, tuple[str, ...]]] = {
    "split1": {"everything": tuple(CONTEXTS)},
    "split3": {
        "people": ("auth", "users", "notifications", "moderation"),
        "content": ("posts", "comments", "reactions"),
        "finding": ("search", "metrics"),
    },
    "split9": {name: (name,) for name in CONTEXTS},
}
_START_SECONDS = 300.0
_STOP_SECONDS = 30.0
# No variable of the tests' own environment may leak into a service.
_OWN = ("_URL", "_KEY", "DATA_DIR", "SERVICES", "SERVICE_NAME", "SERVICE_SECRET", "RATE_LIMITS")


@dataclass
class Service:
    """One service: some contexts, served by all roles under one supervisor."""

    name: str
    contexts: tuple[str, ...]
    environment: dict[str, str]
    folder: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def port(self) -> str:
        """The URL of its web role."""
        return self.environment["WEB_PORT"]

    def start(self) -> None:
        """Starts it; it creates its tables first."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for inner in ("db", "media", "mail"):
            (Path(self.environment["DATA_DIR"]) / inner).mkdir(parents=True, exist_ok=True)
        if not self.environment.get("DATABASE_URL"):
            copy_migrated(Path(self.environment["DATA_DIR"]) / "db", *self.contexts)
        log = self.folder / "service.log"
        self.process = Forked("serve", "all", "--migrate", environment=self.environment, output=log)

    def wait(self) -> None:
        """Waits until it is ready."""
        assert self.process
        started = time.monotonic()
        while not self.is_ready():
            assert self.process.poll() is None, self.said()
            waited = time.monotonic() - started
            assert waited < _START_SECONDS, f"{self.name} is not ready: {self.said()}"
            time.sleep(pause_after(waited))

    def is_ready(self) -> bool:
        """Whether its own databases respond."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/health/ready", timeout=20).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self, sent: signal.Signals = signal.SIGTERM) -> None:
        """Stops it, by force after a while."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(sent)
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    @contextlib.contextmanager
    def hung(self) -> Iterator[None]:
        """Freezes all its roles: they accept connections and never respond."""
        roles = self._roles()
        for role in roles:
            role.suspend()
        try:
            yield
        finally:
            for role in roles:
                with contextlib.suppress(psutil.NoSuchProcess):
                    role.resume()
            self.wait()

    @contextlib.contextmanager
    def killed(self) -> Iterator[None]:
        """Kills all its roles; their supervisor is paused until the end, and then restarts them."""
        assert self.process
        supervisor = psutil.Process(self.process.pid)
        supervisor.suspend()
        try:
            for role in self._roles():
                role.kill()
            eventually(lambda: not self.is_ready())
            yield
        finally:
            supervisor.resume()
            self.wait()

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Runs a command with this service's environment."""
        return manage(*arguments, environment=self.environment)

    def _roles(self) -> list[psutil.Process]:
        assert self.process
        return psutil.Process(self.process.pid).children(recursive=True)

    def said(self) -> str:
        """The last lines of its log."""
        return (self.folder / "service.log").read_text(errors="replace")[-3000:]


@dataclass
class Cluster:
    """All services, and the gateway in front of them."""

    folder: Path
    shared: dict[str, str]
    gateway: Gateway
    services: dict[str, Service] = field(default_factory=dict)
    key: str = field(default_factory=partial(os.environ.__getitem__, "JWT_PRIVATE_KEY"))
    _products: list[Product] = field(default_factory=list)

    def serving(self, context: str) -> Service:
        """The service that serves a context."""
        return next(service for service in self.services.values() if context in service.contexts)

    def add(self, name: str, contexts: tuple[str, ...], **more: str) -> Service:
        """Plans a service; `connect` gives each the URLs of the others."""
        folder = self.folder / name
        keys = {"JWT_PRIVATE_KEY": self.key} if "auth" in contexts else {"JWT_PUBLIC_KEY": _public_key(self.key)}
        environment = {
            **{variable: value for variable, value in os.environ.items() if not variable.endswith(_OWN)},
            **self.shared,
            **keys,
            "SECRET_KEY": secrets.token_urlsafe(48),
            "SERVICES": ",".join(contexts),
            "SERVICE_NAME": name,
            "DATA_DIR": str(folder / "data"),
            "WEB_PORT": str(free_port()),
            "SOCKETS_PORT": str(free_port()),
            "PUBLIC_URL": self.gateway.url,
            "TRUSTED_PROXIES": "1",
            "MEDIA_ACCEL": "yes",
            "RATE_LIMITS": "off",
            "WEB_THREADS": "12",
            "WORKER_POOL": "threads",
            "WORKER_CONCURRENCY": "2",
            "LOG_LEVEL": "WARNING",
            **more,
        }
        self.services[name] = Service(name, contexts, environment, folder)
        return self.services[name]

    def connect(self) -> None:
        """Gives every service the URLs of the contexts that it does not serve."""
        for service in self.services.values():
            for context in CONTEXTS:
                if context not in service.contexts:
                    other = self.serving(context)
                    service.environment[f"{context.upper()}_URL"] = f"http://127.0.0.1:{other.port}"

    def upstreams(self) -> dict[str, str]:
        """The gateway's variables: the URL of every context."""
        found = {f"{name.upper()}_UPSTREAM": f"127.0.0.1:{self.serving(name).port}" for name in CONTEXTS}
        sockets = self.serving("notifications").environment["SOCKETS_PORT"]
        media = Path(self.serving("posts").environment["DATA_DIR"]) / "media"
        found |= {"SOCKETS_UPSTREAM": f"127.0.0.1:{sockets}", "GATEWAY_MEDIA_ROOT": str(media)}
        return {**found, "RATE_LIMITS": "off"}

    def start(self) -> None:
        """Starts all services and waits until they are ready."""
        self.connect()
        for service in self.services.values():
            service.start()
        for service in self.services.values():
            service.wait()
        self.gateway.variables = {**self.upstreams(), **self.gateway.variables}
        self.gateway.start()

    def stop(self) -> None:
        """Stops all services, concurrently."""
        for product in self._products:
            product.http.close()
        self.gateway.stop()
        for service in self.services.values():
            if service.process and service.process.poll() is None:
                service.process.send_signal(signal.SIGTERM)
        for service in self.services.values():
            service.stop()
        drop_queues(self.shared.get("BROKER_URL", ""), self.shared["QUEUE_PREFIX"])

    def product(self) -> Product:
        """The same interface as the product in one process; commands run in the service of auth."""
        auth = self.serving("auth")
        assert self.gateway.process
        environment = {**auth.environment, "SOCIALAPP_PYTHON": sys.executable}
        product = Product(self.gateway.url, environment, self.gateway.process)
        self._products.append(product)
        return product


def _public_key(private: str) -> str:
    key = load_pem_private_key(private.replace("\\n", "\n").encode(), password=None).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def shared_services(services: dict[str, str]) -> dict[str, str]:
    """What all services share: Redis, broker, search engine and the secret for calls between them."""
    run = f"split_{secrets.token_hex(3)}"
    given = {name: os.environ[name] for name in ("REDIS_URL", "BROKER_URL") if os.environ.get(name)}
    return {
        **given,
        "REDIS_PREFIX": f"{run}:",
        "QUEUE_PREFIX": f"{run}.",
        "ELASTICSEARCH_PREFIX": run,
        "SERVICE_SECRET": secrets.token_urlsafe(48),
        **services,
    }


@contextlib.contextmanager
def cluster(split: str, folder: Path, services: dict[str, str]) -> Iterator[Cluster]:
    """The product in one of `SPLITS`; `services` are variables with the URLs of servers, which override the
    environment.
    """
    made = Cluster(folder, shared_services(services), Gateway(folder / "gateway", {}))
    for name, contexts in SPLITS[split].items():
        made.add(name, contexts)
    try:
        made.start()
        yield made
    finally:
        made.stop()
