"""Single roles as containers run them, with their own databases, Redis keys and queues."""

import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import httpx
import psutil

from socialapp.core.contexts import CONTEXTS
from tests.forked import Forked
from tests.migrated import copy_migrated
from tests.scenarios.product import ROOT, Product, drop_queues, eventually, free_port

STOP_SECONDS = 10.0
_OWN = ("_URL", "SERVICES", "DATA_DIR", "PROMETHEUS_MULTIPROC_DIR", "METRICS_PORT", "OTEL_EXPORTER_OTLP_ENDPOINT")


@dataclass
class Roles:
    """The roles of one installation, each in its own process."""

    folder: Path
    environment: dict[str, str]
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    metrics_ports: dict[str, str] = field(default_factory=dict)

    @cached_property
    def product(self) -> Product:
        """The product as a client sees it."""
        return Product(f"http://127.0.0.1:{self.environment['WEB_PORT']}", self.environment, None)  # type: ignore[arg-type]

    def manage(self, *arguments: str) -> str:
        """Runs a command of manage.py; returns what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        ended = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert ended.returncode == 0, ended.stderr[-3000:]
        return ended.stdout

    def start(
        self,
        role: str,
        *,
        command: tuple[str, ...] = (),
        folder: Path = ROOT,
        port: str = "",
        **more: str,
    ) -> None:
        """Starts a role, with its usual command unless another is given, and waits until it is ready."""
        environment = {**self.environment, "METRICS_PORT": port or str(free_port()), **more}
        with (self.folder / f"{role}.log").open("ab") as log:
            process = subprocess.Popen(
                command or (sys.executable, "manage.py", "serve", role),
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._await(role, process, environment["METRICS_PORT"])

    def fork(self, role: str, *arguments: str, program: str, **more: str) -> None:
        """Starts a program as a role, from loaded libraries, and waits until it is ready."""
        environment = {**self.environment, "METRICS_PORT": str(free_port()), **more}
        log = self.folder / f"{role}.log"
        process = Forked(*arguments, program=program, environment=environment, output=log)
        self._await(role, process, environment["METRICS_PORT"])

    def _await(self, role: str, process: "subprocess.Popen[bytes]", port: str) -> None:
        self.running[role] = process
        self.metrics_ports[role] = port
        eventually(lambda: self._is_live(role, port), seconds=60)

    def _is_live(self, role: str, port: str) -> bool:
        assert self.running[role].poll() is None, self.said(role)
        try:
            return httpx.get(f"http://127.0.0.1:{port}/health/live", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def ask_to_stop(self, role: str) -> None:
        """The signal that a container engine sends first."""
        self.running[role].send_signal(signal.SIGTERM)

    def wait_for_end(self, role: str) -> tuple[int, float]:
        """The exit status of a role that was asked to stop, and the seconds from now until it ended."""
        started = time.monotonic()
        process = self.running.pop(role)
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError(f"{role} did not end in {STOP_SECONDS} s:\n{self.said(role)}") from None
        return code, time.monotonic() - started

    def stop(self, role: str) -> tuple[int, float]:
        """Asks a role to stop and waits for it."""
        self.ask_to_stop(role)
        return self.wait_for_end(role)

    def kill_all(self) -> None:
        """Kills the roles that a failed test has left."""
        self.product.http.close()
        del self.product
        for process in self.running.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def said(self, role: str) -> str:
        """The last lines of a role's log."""
        return (self.folder / f"{role}.log").read_text(errors="replace")[-4000:]

    # --- Its databases

    def database(self, context: str) -> Path:
        """The SQLite file of a context."""
        return Path(self.environment["DATA_DIR"]) / "db" / f"{context}.sqlite3"

    def number(self, context: str, sql: str) -> int:
        """The number that a counting query returns."""
        with closing(sqlite3.connect(self.database(context), timeout=30)) as connection:
            return int(connection.execute(sql).fetchone()[0])

    @contextmanager
    def locked(self, context: str) -> Iterator[None]:
        """Locks the database of a context for writing: writers wait, as for a slow disk."""
        with closing(sqlite3.connect(self.database(context), timeout=30, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    def has_opened(self, context: str, *, role: str) -> bool:
        """Whether a process of the role has opened the database of a context."""
        processes = psutil.Process(self.running[role].pid)
        opened = {file.path for each in (processes, *processes.children(recursive=True)) for file in each.open_files()}
        return str(self.database(context)) in opened

    def unsent(self) -> int:
        """The number of events of all contexts that the broker does not have."""
        return sum(self.number(name, "SELECT COUNT(*) FROM bus_outbox WHERE state = 0") for name in CONTEXTS)


@contextmanager
def installed(folder: Path, **more: str) -> Iterator[Roles]:
    """An installation with tables, where no role is running."""
    data = folder / "data"
    for inner in ("db", "media", "mail"):
        (data / inner).mkdir(parents=True)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.endswith(_OWN)},
        "DATA_DIR": str(data),
        "REDIS_URL": os.environ["REDIS_URL"],
        "REDIS_PREFIX": f"deploy-{secrets.token_hex(4)}:",
        "QUEUE_PREFIX": f"deploy-{secrets.token_hex(4)}.",
        **({"BROKER_URL": os.environ["BROKER_URL"]} if "BROKER_URL" in os.environ else {}),
        "WEB_PORT": str(free_port()),
        "SOCKETS_PORT": str(free_port()),
        "RATE_LIMITS": "off",
        "LOG_LEVEL": "INFO",
        "RECONCILE_EVERY_SECONDS": "1",
        "RECONCILE_AFTER_SECONDS": "1",
        **more,
    }
    roles = Roles(folder, environment)
    copy_migrated(data / "db")
    try:
        yield roles
    finally:
        roles.kill_all()
        drop_queues(environment.get("BROKER_URL", ""), environment["QUEUE_PREFIX"])


def until(check: Callable[[], bool], *, seconds: float = 60.0) -> None:
    """Waits until the condition holds."""
    eventually(check, seconds=seconds)
