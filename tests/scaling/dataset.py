"""An installation on a MariaDB for these tests only, optionally with a replica; its databases: <name>_<context>."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from socialapp.core.contexts import CONTEXTS
from tests.faults.servers import MariaDB, Server
from tests.forked import Forked, manage
from tests.migrated import copy_migrated, create_migrated
from tests.scenarios.product import ROOT, eventually, free_port

PASSWORD = "correct horse battery"
ON_MARIADB = [name for name in CONTEXTS if name != "search"]


def embedded(home: Path, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Runs a command of manage.py on an installation with SQLite files in a folder."""
    (home / "db").mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.endswith(("DATABASE_URL", "SERVICES"))}
    return _manage({**kept, "DATA_DIR": str(home), "ELASTICSEARCH_URL": ""}, *arguments, check=check)


def _manage(environment: dict[str, str], *arguments: str, check: bool) -> "subprocess.CompletedProcess[str]":
    ended = manage(*arguments, environment=environment)
    assert not check or ended.returncode == 0, ended.stderr[-3000:]
    return ended


class Replica(Server):
    """A read-only MariaDB that replicates `primary`; `number` distinguishes several."""

    def __init__(self, folder: Path, primary: MariaDB, *, number: int) -> None:
        super().__init__("mariadb", folder, ports=("MARIADB_PORT",))
        self.folder = folder / f"replica{number}"
        self._primary = primary
        self._pid_file = self.folder / "pid"
        self._environment |= {
            "MARIADB_PORT": str(primary.port),
            "MARIADB_DIR": str(primary.folder),
            "MARIADB_REPLICA_PORT": str(self.port),
            "MARIADB_REPLICA_DIR": str(self.folder),
            "MARIADB_REPLICA_SERVER_ID": str(1 + number),
        }

    def _script(self, name: str) -> "subprocess.CompletedProcess[str]":
        log = self.folder.parent / f"{self.folder.name}-{name}.log"
        with log.open("w") as file:
            ended = subprocess.run(
                [str(ROOT / "tests" / "services" / "mariadb" / "replica"), name],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                timeout=240,
                check=False,
            )
        return subprocess.CompletedProcess(ended.args, ended.returncode, "", log.read_text()[-3000:])

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Runs one statement, on a connection with all privileges."""
        import MySQLdb

        connection = MySQLdb.connect(unix_socket=str(self.folder / "s.sock"), user="root")
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def selects(self) -> int:
        """How many SELECTs it has executed since it started."""
        return int(self.sql("SHOW GLOBAL STATUS LIKE 'Com_select'")[0][1])

    def catch_up(self) -> None:
        """Returns when it has everything that the primary has now."""
        position = self._primary.sql("SELECT @@gtid_binlog_pos")[0][0]
        assert self.sql(f"SELECT MASTER_GTID_WAIT('{position}', 120)") == [(0,)]

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Stops it from receiving changes, while it still reports that it replicates."""
        import MySQLdb

        with closing(MySQLdb.connect(unix_socket=str(self.folder / "s.sock"), user="root")) as connection:
            connection.query("FLUSH TABLES WITH READ LOCK")
            yield


class Dataset:
    """The product's web role on these servers, with a generated set of users, who registered long ago."""

    def __init__(self, folder: Path, database: MariaDB, *, name: str = "dataset", **variables: str) -> None:
        self.folder, self.database, self.name = folder, database, name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {name: value for name, value in os.environ.items() if not name.endswith(("DATABASE_URL", "SERVICES"))}
        self.environment = {
            **kept,
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": f"mysql://app:app@127.0.0.1:{database.port}/{name}_{{context}}",
            "SEARCH_DATABASE_URL": f"sqlite:///{folder}/data/db/search.sqlite3",
            "ELASTICSEARCH_URL": "",
            "REDIS_PREFIX": f"{folder.name}:",
            "RATE_LIMITS": "off",
            "WEB_PORT": str(self.port),
            **variables,
        }
        (folder / "data" / "db").mkdir(parents=True)
        self._web: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client(base_url=self.url, timeout=20)

    def create(self, *, people: int = 0) -> None:
        """Creates databases, tables and users."""
        create_migrated(self.environment["DATABASE_URL"], {context: f"{self.name}_{context}" for context in ON_MARIADB})
        copy_migrated(self.folder / "data" / "db", "search")
        if people:
            self.manage("demo", "--people", str(people), "--password", PASSWORD)

    def make_databases(self) -> None:
        """Creates empty databases in place of the old ones."""
        for context in ON_MARIADB:
            self.database.sql(f"DROP DATABASE IF EXISTS {self.name}_{context}")
            self.database.sql(f"CREATE DATABASE {self.name}_{context} CHARACTER SET utf8mb4")

    def manage(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Runs a command of manage.py on this installation."""
        return _manage(self.environment, *arguments, check=check)

    def start(self) -> None:
        """Starts the web role, and waits until it responds."""
        self._web = Forked("serve", "web", environment=self.environment, output=self.folder / "web.log")
        eventually(self._answers, seconds=60)

    def stop(self) -> None:
        """Stops the web role."""
        self.http.close()
        if self._web is not None:
            self._web.terminate()
            self._web.wait(20)

    def _answers(self) -> bool:
        try:
            return self.http.get("/health/live").status_code == 200
        except httpx.HTTPError:
            return False

    def log_in(self, username: str) -> dict[str, str]:
        """The Authorization header of a user."""
        answer = self.http.post("/v1/auth/login", json={"login": username, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access']}"}
