"""A MariaDB for these tests only: replicas, partitions and backups need more than a database on a shared server."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.servers import MariaDB


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """Redis belongs to the installation under test, and is not emptied while that runs."""


@pytest.fixture(scope="package")
def folder() -> Iterator[Path]:
    """A short path that servers which drop root privileges can enter."""
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
