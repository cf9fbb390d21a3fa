"""Real servers that only these tests use, which may be killed, paused and emptied."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.scenarios.product import ROOT, free_port

SCRIPTS = ROOT / "tests" / "services"
_START_SECONDS = 400  # longer than any of the scripts waits, as they end servers that have not started


class Server:
    """One server, started by its script in tests/services on its own port and in its own folder."""

    def __init__(
        self, name: str, folder: Path, *, ports: tuple[str, ...], pid_file: str = "pid", **options: str
    ) -> None:
        self.name = name
        self.folder = folder / name
        self.port = free_port()
        self._pid_file = self.folder / pid_file
        variables = {variable: str(self.port if not index else free_port()) for index, variable in enumerate(ports)}
        home = ports[0].removesuffix("_PORT") + "_DIR"
        self._environment = {**os.environ, **variables, home: str(self.folder), **options}

    def start(self) -> None:
        """Starts it with the data it had, and waits until it responds."""
        started = self._script("start")
        assert started.returncode == 0, f"{self.name} did not start: {started.stderr}"

    def repair(self) -> None:
        """Starts it if it is not running, as a failed test may have left it."""
        try:
            os.kill(self._pid, signal.SIGCONT)
        except (ProcessLookupError, ValueError, FileNotFoundError):
            self.start()

    def stop(self) -> None:
        """Shuts it down."""
        with contextlib.suppress(ProcessLookupError, ValueError, FileNotFoundError):
            os.kill(self._pid, signal.SIGCONT)
        self._script("stop")

    def kill(self) -> None:
        """`kill -9`; returns when the process is gone."""
        pid = self._pid
        os.kill(pid, signal.SIGKILL)
        while _is_alive(pid):
            time.sleep(0.02)

    @contextlib.contextmanager
    def hung(self) -> Iterator[None]:
        """It accepts connections and never responds."""
        pid = self._pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def forget_everything(self) -> None:
        """Removes the data of a server that is not running, so that it starts empty."""
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    @property
    def _pid(self) -> int:
        return int(self._pid_file.read_text().split()[0])

    def _script(self, name: str) -> "subprocess.CompletedProcess[str]":
        # Its output goes to a file: the server inherits it, and a pipe would be held open.
        log = self.folder.parent / f"{self.name}-{name}.log"
        with log.open("w") as file:
            ended = subprocess.run(
                [str(SCRIPTS / self.name / name)],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                timeout=_START_SECONDS,
                check=False,
            )
        return subprocess.CompletedProcess(ended.args, ended.returncode, "", log.read_text()[-3000:])


def _is_alive(pid: int) -> bool:
    """Whether any of its threads is alive: the first may be a zombie already while others still hold the port."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z" or len(os.listdir(f"/proc/{pid}/task")) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


class MariaDB(Server):
    """MariaDB, and SQL statements on it."""

    def __init__(self, folder: Path) -> None:
        super().__init__("mariadb", folder, ports=("MARIADB_PORT",))

    def url(self, context: str = "{context}", *, port: int | None = None) -> str:
        """DATABASE_URL, or that of one context; optionally through a proxy on another port."""
        return f"mysql://app:app@127.0.0.1:{port or self.port}/faults_{context}"

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Runs one statement on its own connection and commits; returns the rows. Tables:
        `faults_<context>.<table>`.
        """
        import MySQLdb

        connection = MySQLdb.connect(host="127.0.0.1", port=self.port, user="app", password="app", charset="utf8mb4")
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                rows = list(cursor.fetchall()) if cursor.description else []
            connection.commit()
            return rows
        finally:
            connection.close()

    def number(self, statement: str, *values: object) -> int:
        """The single number that a query returns."""
        return int(self.sql(statement, *values)[0][0] or 0)


class Redis(Server):
    """Redis; `name` distinguishes several."""

    def __init__(self, folder: Path, name: str) -> None:
        (folder / name).mkdir()
        super().__init__("redis", folder / name, ports=("REDIS_PORT",))

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> Any:
        """A client with a long timeout."""
        import redis

        return redis.Redis(port=self.port)

    def flush(self) -> None:
        """FLUSHALL."""
        with self.client() as client:
            client.flushall()


class RabbitMQ(Server):
    """RabbitMQ."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            "rabbitmq",
            folder,
            ports=("RABBITMQ_PORT", "RABBITMQ_DISTRIBUTION_PORT", "RABBITMQ_EPMD_PORT"),
        )

    @property
    def url(self) -> str:
        return f"amqp://app:app@127.0.0.1:{self.port}//"

    def forget_everything(self) -> None:
        """Removes queues, exchanges and messages; the node keeps its name."""
        shutil.rmtree(self.folder / "mnesia")


class Elasticsearch(Server):
    """Elasticsearch."""

    def __init__(self, folder: Path) -> None:
        # 10 s of CPU for a start instead of 20: it does not run long enough for optimized code to pay off
        options = f"{os.environ.get('ES_JAVA_OPTS', '')} -XX:TieredStopAtLevel=1"
        super().__init__(
            "elasticsearch", folder, ports=("ES_PORT",), pid_file="elasticsearch.pid", ES_JAVA_OPTS=options
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"
