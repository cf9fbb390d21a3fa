"""An installation with one transport of events. Tests write probes into its outbox, and its worker receives them."""

import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.deploy.processes import Roles, until
from tests.faults.servers import Server

_PROGRAM = "tests/transports/probe_app.py"
_PASSWORD = "a pass&word+"
PATIENCE = 120.0  # seconds; on a busy machine a consumer group takes long to rebalance


class Kafka(Server):
    """Kafka."""

    def __init__(self, folder: Path) -> None:
        super().__init__("kafka", folder, ports=("KAFKA_PORT", "KAFKA_CONTROLLER_PORT"))

    @property
    def url(self) -> str:
        return f"kafka://127.0.0.1:{self.port}"


class GuardedKafka(Kafka):
    """Kafka that requires a password and TLS."""

    def __init__(self, folder: Path) -> None:
        Server.__init__(self, "kafka", folder, ports=("KAFKA_PORT", "KAFKA_CONTROLLER_PORT"), KAFKA_PASSWORD=_PASSWORD)

    @property
    def url(self) -> str:
        return self.url_with()

    def url_with(self, **changes: str) -> str:
        """Its URL with other settings of librdkafka; empty ones are left out."""
        settings = {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_username": "app",
            "sasl_password": _PASSWORD,
            "ssl_ca_location": str(self.folder / "ca.pem"),
            **changes,
        }
        query = urlencode({name.replace("_", "."): value for name, value in settings.items() if value})
        return f"kafka://127.0.0.1:{self.port}?{query}"


@dataclass
class BrokerHarness:
    """The roles of an installation, and the server that carries its events."""

    way: str
    roles: Roles
    server: Server

    def __post_init__(self) -> None:
        self._ids = count(int(time.time() * 1000) << 16)
        self.hold = self.roles.folder / "hold"
        self.roles.environment["PROBE_HOLD"] = str(self.hold)
        self._run(
            "moderation",
            "CREATE TABLE received (id INTEGER PRIMARY KEY AUTOINCREMENT, probe INTEGER, partition INTEGER)",
        )

    def start(self, *roles: str, **variables: Any) -> None:
        """Starts the roles that do not run; a number distinguishes several processes of one role."""
        for role in roles:
            if role not in self.roles.running:
                self.roles.fork(role, "serve", role.rstrip("0123456789"), program=_PROGRAM, **variables)

    def kill(self, role: str) -> None:
        """Kills all its processes with SIGKILL."""
        process = self.roles.running.pop(role)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def forget(self) -> None:
        """Waits until all events are received, then deletes the records of probes, but not the inboxes."""
        until(lambda: self.depth("moderation") == 0, seconds=PATIENCE)
        for context, table in (
            ("metrics", "bus_outbox"),
            ("moderation", "received"),
            ("moderation", "bus_failed_delivery"),
        ):
            self._run(context, f"DELETE FROM {table}")

    def send(self, *probes: int, partition: int = 1, context: str = "metrics", padding: str = "", **extra: str) -> None:
        """Publishes probes in one transaction in the given context's outbox; the relay finds them in its next round.

        `extra`: further fields of their envelopes.
        """
        self._run(
            context,
            "INSERT INTO bus_outbox (id, type, subject, envelope, created_at, state, claim, correlation)"
            " VALUES (?, ?, ?, ?, ?, 0, 0, '')",
            [_row(next(self._ids), probe, partition, padding, extra) for probe in probes],
        )

    def send_again(self) -> None:
        """Marks all events as unsent, so that they are sent again."""
        self._run("metrics", "UPDATE bus_outbox SET state = 0, claim = 0, claimed_until = NULL")

    def received(self, partition: int = 1) -> list[int]:
        """The received probes of a partition, in order."""
        with closing(sqlite3.connect(self.roles.database("moderation"), timeout=30)) as connection:
            return [
                row[0]
                for row in connection.execute("SELECT probe FROM received WHERE partition = ? ORDER BY id", [partition])
            ]

    def assert_received_once(self, probes: Iterable[int], *, partition: int = 1) -> None:
        """Waits until all probes are received, and checks that none was received twice."""
        wanted = sorted(probes)
        deadline = time.monotonic() + PATIENCE
        while len(self.received(partition)) < len(wanted) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert sorted(self.received(partition)) == wanted, self.roles.said("relay") + self.roles.said("worker")

    def assert_kept(self, probes: int, *, because: str) -> None:
        """Waits until the relay has logged `because`, and checks that nothing was sent."""
        log = self.roles.folder / "relay.log"
        until(lambda: because in log.read_text(errors="replace"), seconds=PATIENCE)
        assert self.unsent() == probes
        log.write_text("")

    def unsent(self) -> int:
        """The number of probes that the relay has not sent."""
        return self.roles.number("metrics", "SELECT COUNT(*) FROM bus_outbox WHERE state = 0")

    def confirmed(self) -> int:
        """The number of probes that all consumers have received, according to the reconciler."""
        return self.roles.number("metrics", "SELECT COUNT(*) FROM bus_outbox WHERE state = 2")

    def wait_for_the_reconciler(self) -> None:
        """Waits until it has checked every sent probe, and has confirmed it or sent it again."""
        with closing(sqlite3.connect(self.roles.database("metrics"), timeout=30)) as connection:
            [last] = connection.execute("SELECT MAX(sent_at) FROM bus_outbox").fetchone()
        waiting = f"SELECT COUNT(*) FROM bus_outbox WHERE state < 2 AND sent_at <= '{last}'"
        until(lambda: self.roles.number("metrics", waiting) == 0, seconds=PATIENCE)

    @contextmanager
    def release_before(self, *roles: str) -> Iterator[None]:
        """Runs these roles as a release that does not know probes."""
        for role in roles:
            if role in self.roles.running:
                self.roles.stop(role)
            self.roles.start(role)
        try:
            yield
        finally:
            for role in roles:
                self.roles.stop(role)

    def depth(self, context: str) -> float:
        """The number of messages in the context's queue."""
        return self.metric(f'socialapp_queue_depth{{queue="{self.roles.environment["QUEUE_PREFIX"]}events.{context}"}}')

    def metric(self, name: str) -> float:
        """A metric of the relay; 0 if it is missing."""
        port = self.roles.metrics_ports["relay"]
        lines = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text.splitlines()
        return sum(float(line.removeprefix(name)) for line in lines if line.startswith(f"{name} "))

    def is_live(self, role: str) -> bool:
        """The liveness probe, with which a container engine detects a hanging process."""
        port = self.roles.metrics_ports[role]
        return httpx.get(f"http://127.0.0.1:{port}/health/live", timeout=10).status_code == 200

    def hold_at(self, probe: int) -> None:
        """Waits until the worker is in the middle of a probe's transaction."""
        self.hold.with_suffix(".reached").unlink(missing_ok=True)
        self.hold.touch()
        self.send(probe)
        until(self.hold.with_suffix(".reached").exists, seconds=PATIENCE)

    def _run(self, context: str, statement: str, rows: Iterable[tuple[object, ...]] = ((),)) -> None:
        with closing(sqlite3.connect(self.roles.database(context), timeout=30)) as connection, connection:
            connection.executemany(statement, rows)


def _row(event_id: int, probe: int, partition: int, padding: str, extra: dict[str, str]) -> tuple[object, ...]:
    now = datetime.now(UTC).replace(tzinfo=None)
    envelope = {
        "id": event_id,
        "source": "/metrics",
        "type": "metrics.probe_sent.v1",
        "subject": str(probe),
        "time": f"{now.isoformat()}Z",
        "partitionkey": str(partition),
        "sequence": event_id,
        "data": {"probe_id": probe, "partition": partition, "padding": padding},
        **extra,
    }
    return event_id, envelope["type"], str(probe), json.dumps(envelope, ensure_ascii=False), str(now)
