"""Installations of their own, each with its databases, that are spoken to through manage.py."""

import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import MySQLdb

from socialapp.core.contexts import CONTEXTS
from tests.migrated import copy_migrated

ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 300


@dataclass(frozen=True)
class Installation:
    """A data folder and, where the tests run on a database server, databases with a prefix of their own."""

    folder: Path
    environment: dict[str, str]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """manage.py under way."""
        return subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def manage(self, *arguments: str, expect: int = 0) -> str:
        """manage.py to its end; what it said on standard output."""
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=_SECONDS)
        assert process.returncode == expect, f"{arguments}: {process.returncode}\n{output}\n{errors}"
        return output

    def dumped(self) -> bytes:
        """Everything that is in it."""
        file = self.folder / "dump.jsonl"
        self.manage("dump", str(file))
        return file.read_bytes()


class Ground:
    """Where installations are made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._url = os.environ.get("DATABASE_URL", "")
        self._databases: list[str] = []
        self._run = secrets.token_hex(3)  # other test processes make databases on the same server

    def make(self, name: str) -> Installation:
        """An empty installation."""
        folder = self._folder / name
        environment = {**os.environ, "DATA_DIR": str(folder)}
        if self._url.startswith("mysql"):
            environment["DATABASE_URL"] = self._url.replace("{context}", f"{self._run}_{name}_{{context}}")
            self._create_databases(environment["DATABASE_URL"])
        installation = Installation(folder, environment)
        if self._url:
            (folder / "db").mkdir(parents=True)
            installation.manage("migrate_all", "--verbosity=0")
        else:
            copy_migrated(folder / "db")
        return installation

    def _create_databases(self, url: str) -> None:
        for context in CONTEXTS:
            database = urlsplit(url.replace("{context}", context)).path.lstrip("/")
            self._run_sql(f"DROP DATABASE IF EXISTS `{database}`", f"CREATE DATABASE `{database}`")
            self._databases.append(database)

    def clear(self) -> None:
        """Drops the databases again."""
        for database in self._databases:
            self._run_sql(f"DROP DATABASE IF EXISTS `{database}`")

    def _run_sql(self, *statements: str) -> None:
        parts = urlsplit(self._url.replace("{context}", "x"))
        connection = MySQLdb.connect(
            host=parts.hostname, port=parts.port or 3306, user=parts.username, password=parts.password
        )
        for statement in statements:
            connection.cursor().execute(statement)
        connection.close()
