"""Separate installations, each with its own databases, used through manage.py."""

import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from socialapp.core.contexts import CONTEXTS
from tests.forked import manage
from tests.migrated import copy_migrated, create_migrated, drop_databases

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Installation:
    """A data folder and, if the tests use a database server, databases with their own prefix."""

    folder: Path
    environment: dict[str, str]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Starts manage.py."""
        return subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def manage(self, *arguments: str, expect: int = 0) -> str:
        """Runs manage.py to its end; returns its standard output."""
        ended = manage(*arguments, environment=self.environment)
        assert ended.returncode == expect, f"{arguments}: {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def dumped(self) -> bytes:
        """A dump of the installation."""
        file = self.folder / "dump.jsonl"
        self.manage("dump", str(file))
        return file.read_bytes()


class Installations:
    """Creates installations in a folder, and drops their databases."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._url = os.environ.get("DATABASE_URL", "")
        self._databases: list[str] = []
        self._run = secrets.token_hex(3)  # other test processes create databases on the same server

    def make(self, name: str) -> Installation:
        """An empty installation."""
        folder = self._folder / name
        environment = {**os.environ, "DATA_DIR": str(folder)}
        (folder / "db").mkdir(parents=True)
        if self._url.startswith("mysql"):
            prefix = f"{self._run}_{name}_"
            environment["DATABASE_URL"] = urlsplit(self._url)._replace(path=f"/{prefix}{{context}}").geturl()
            databases = {context: f"{prefix}{context}" for context in CONTEXTS}
            self._databases += databases.values()
            create_migrated(self._url, databases)
        else:
            copy_migrated(folder / "db")
        return Installation(folder, environment)

    def clear(self) -> None:
        """Drops the databases."""
        if self._databases:
            drop_databases(self._url, self._databases)
