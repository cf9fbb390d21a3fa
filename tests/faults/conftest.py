"""Servers and an installation of these tests' own, started once; what a test has broken, it or the next one mends."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.installation import Installation
from tests.faults.servers import MariaDB, RabbitMQ, Redis


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """Most of these tests have a Redis of their own, emptied only where they say so."""


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A short path that servers which drop root's rights can enter."""
    path = Path(tempfile.mkdtemp(prefix="faults-"))
    path.chmod(0o755)
    yield path
    if not os.environ.get("KEEP_FAULTS"):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def database(folder: Path) -> Iterator[MariaDB]:
    server = MariaDB(folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis(folder: Path) -> Iterator[Redis]:
    server = Redis(folder, "cache")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def broker(folder: Path) -> Iterator[RabbitMQ]:
    server = RabbitMQ(folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _installation(folder: Path, database: MariaDB, redis: Redis, broker: RabbitMQ) -> Iterator[Installation]:
    installation = Installation(folder, database=database, redis=redis, broker=broker)
    installation.create()
    yield installation
    installation.stop()


@pytest.fixture
def town(_installation: Installation) -> Installation:
    """The installation with web, relay, worker and beat running."""
    _installation.run_only("web", "relay", "worker", "beat")
    return _installation
