"""Servers and an installation for these tests only, started once; tests repair what they or an earlier one broke."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.installation import Installation
from tests.faults.servers import MariaDB, RabbitMQ, Redis, Server
from tests.faults.sizes import SETTLE_SECONDS
from tests.scenarios.product import eventually


@pytest.fixture(scope="package")
def folder() -> Iterator[Path]:
    """A short path that servers which drop root privileges can enter."""
    path = Path(tempfile.mkdtemp(prefix="faults-"))
    path.chmod(0o755)
    yield path
    if not os.environ.get("KEEP_FAULTS"):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="package")
def _installation(folder: Path) -> Iterator[Installation]:
    database, redis, broker = MariaDB(folder), Redis(folder, "cache"), RabbitMQ(folder)
    installation = Installation(folder, database=database, redis=redis, broker=broker)
    servers = (database, redis, broker)
    try:
        with ThreadPoolExecutor() as starting:
            list(starting.map(Server.start, servers))
        installation.create()
        yield installation
    finally:
        installation.stop()
        for server in servers:
            server.stop()


@pytest.fixture
def installation(_installation: Installation, request: pytest.FixtureRequest) -> Installation:
    """The installation with web, relay, worker and beat running."""
    _installation.measured = request.node.user_properties
    _installation.resume()
    return _installation


@pytest.fixture(scope="package")
def redis_broker(folder: Path) -> Iterator[Redis]:
    """A Redis that is used as a broker only."""
    server = Redis(folder, "broker")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def brokered(request: pytest.FixtureRequest, installation: Installation) -> Iterator[Installation]:
    """The installation on each kind of broker, with no work pending."""
    eventually(installation.confirmed, seconds=SETTLE_SECONDS)
    if request.param == "rabbitmq":
        yield installation
        return
    rabbitmq = installation.broker
    installation.broker = request.getfixturevalue("redis_broker")
    installation.broker.repair()
    installation.environment["BROKER_URL"] = installation.broker.url
    installation.run_only("web")
    installation.run_only("web", "relay", "worker", "beat")
    try:
        yield installation
    finally:
        installation.broker, installation.environment["BROKER_URL"] = rabbitmq, rabbitmq.url
        installation.run_only("web")
