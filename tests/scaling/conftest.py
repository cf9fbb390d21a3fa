"""A MariaDB of these tests' own: replicas, partitions and backups need more of a server than a database to use."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.servers import MariaDB


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """What stands in Redis belongs to the installation under test, for as long as that lives."""


@pytest.fixture(scope="package")
def folder() -> Iterator[Path]:
    """A short path that servers which drop root's rights can enter."""
    path = Path(tempfile.mkdtemp(prefix="growing-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="package")
def database(folder: Path) -> Iterator[MariaDB]:
    server = MariaDB(folder)
    server.start()
    yield server
    server.stop()
