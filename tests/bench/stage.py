"""Sets the stage: product and twin on the same MariaDB and Redis, both behind nginx, filled with the same crowd."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import environ
import httpx
import psutil

from socialapp.contexts import CONTEXTS
from tests.bench.accounting import Meter, listening
from tests.environment import _private_key
from tests.scenarios.product import eventually, free_port

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"
PERSON = "person150"


@dataclass(frozen=True, slots=True)
class Size:
    """How much the crowd is and does."""

    people: int = 200
    posts: int = 5000
    comments: int = 2000
    reactions: int = 10000


@dataclass
class Stage:
    """Everything that runs for the bench; `close()` ends it."""

    folder: Path
    size: Size
    name: str = field(default_factory=lambda: f"bench_{secrets.token_hex(3)}")
    processes: dict[str, psutil.Process] = field(default_factory=dict)
    children: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    access: str = ""
    twin_access: str = ""
    post: str = ""
    twin_post: str = ""

    def open(self) -> None:
        """Starts and fills both."""
        self.ports = {name: free_port() for name in ("web", "sockets", "gateway", "twin", "twin_gateway")}
        base = os.environ["DATABASE_URL"].rpartition("/")[0]
        self.environment = {
            **os.environ,
            "DATABASE_URL": f"{base}/{self.name}_{{context}}",
            "TWIN_DATABASE_URL": f"{base}/{self.name}_twin",
            "REDIS_PREFIX": f"{self.name}:",
            "ELASTICSEARCH_PREFIX": self.name,
            "DATA_DIR": str(self.folder / "data"),
            "SECRET_KEY": secrets.token_hex(32),
            "JWT_PRIVATE_KEY": _private_key(),
            "RATE_LIMITS": "off",
            "LOG_LEVEL": "WARNING",
            "WEB_PORT": str(self.ports["web"]),
            "SOCKETS_PORT": str(self.ports["sockets"]),
            "PUBLIC_URL": f"http://127.0.0.1:{self.ports['gateway']}",
            "ACCESS_TOKEN_SECONDS": "7200",
            "PYTHONPATH": str(ROOT),
        }
        (self.folder / "data" / "db").mkdir(parents=True)
        for database in (*CONTEXTS, "twin"):
            self.sql(f"CREATE DATABASE `{self.name}_{database}` CHARACTER SET utf8mb4")
        self.manage("migrate_all")
        sizes = [f"--{what}={getattr(self.size, what)}" for what in ("people", "posts", "comments", "reactions")]
        self.manage("demo", *sizes, f"--password={PASSWORD}")
        for role in ("web", "relay", "worker", "sockets", "beat"):
            self.start(role, [sys.executable, "manage.py", "serve", role])
        self._fill_twin()
        twin = [sys.executable, "-m", "granian", "--interface", "wsgi", "--blocking-threads", "4", "--workers", "1"]
        self.start("twin", [*twin, "--port", str(self.ports["twin"]), "tests.bench.twin.app:application"])
        self._start_gateway()
        self._log_in()

    def sql(self, statement: str) -> None:
        """Runs one statement on the database server."""
        import MySQLdb

        url = environ.Env.db_url_config(os.environ["DATABASE_URL"].replace("{context}", "x"))
        server = MySQLdb.connect(
            host=url["HOST"], port=int(url["PORT"] or 3306), user=url["USER"], password=url["PASSWORD"]
        )
        with server.cursor() as cursor:
            cursor.execute(statement)
        server.commit()
        server.close()

    def manage(self, *arguments: str) -> str:
        """A command of the product."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"manage.py {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
        return done.stdout

    def start(self, name: str, command: list[str]) -> None:
        """Starts a process whose CPU is counted under `name`."""
        with (self.folder / f"{name}.log").open("wb") as log:
            child = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        self.children.append(child)
        self.processes[name] = psutil.Process(child.pid)

    def meter(self, *names: str) -> Meter:
        """Counts the CPU of the named processes beside MariaDB's and Redis'."""
        groups = {name: [self.processes[name]] for name in names}
        database = environ.Env.db_url_config(os.environ["DATABASE_URL"].replace("{context}", "x"))
        groups["mariadb"] = [listening(int(database["PORT"] or 3306))]
        groups["redis"] = [listening(urlsplit(os.environ["REDIS_URL"]).port or 6379)]
        if url := os.environ.get("ELASTICSEARCH_URL"):
            groups["elasticsearch"] = [listening(urlsplit(url).port or 9200)]
        return Meter(groups)

    def drain(self, *, seconds: float = 600) -> None:
        """Waits until every event has reached everybody."""

        def drained() -> bool:
            status = json.loads(self.manage("bus", "status", "--json"))
            return all(context["new"] == 0 for context in status["contexts"].values())

        eventually(drained, seconds=seconds)
        time.sleep(1.5)

    def pause(self, *, paused: bool) -> None:
        """Stops relay, worker and beat in their tracks, or lets them go on."""
        for name in ("relay", "worker", "beat"):
            for process in (self.processes[name], *self.processes[name].children(recursive=True)):
                process.send_signal(signal.SIGSTOP if paused else signal.SIGCONT)

    def close(self) -> None:
        """Ends all processes and drops all databases."""
        for child in reversed(self.children):
            child.terminate()
        for child in self.children:
            try:
                child.wait(timeout=15)
            except subprocess.TimeoutExpired:
                child.kill()
        for database in (*CONTEXTS, "twin"):
            self.sql(f"DROP DATABASE IF EXISTS `{self.name}_{database}`")

    def _fill_twin(self) -> None:
        sizes = [str(getattr(self.size, what)) for what in ("people", "posts", "comments", "reactions")]
        command = [sys.executable, "-m", "tests.bench.twin.fill", *sizes]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"the twin could not be filled:\n{done.stderr[-3000:]}")
        filled = json.loads(done.stdout.splitlines()[-1])
        self.twin_access, self.twin_post = filled["access"], filled["post"]

    def _start_gateway(self) -> None:
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        if nginx is None:
            raise SystemExit("nginx is needed: tests/services/nginx/start installs it")
        pairs = [("gateway", "web"), ("twin_gateway", "twin")]
        servers = "".join(
            f"upstream {up} {{ server 127.0.0.1:{self.ports[up]}; keepalive 32; }}\n"
            f"server {{ listen 127.0.0.1:{self.ports[front]}; location / {{ proxy_pass http://{up};"
            ' proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; } }\n'
            for front, up in pairs
        )
        (self.folder / "nginx.conf").write_text(
            f"daemon off; pid {self.folder}/nginx.pid; error_log {self.folder}/nginx.log; worker_processes 1;\n"
            "events { worker_connections 512; }\n"
            f"http {{ access_log off; client_body_temp_path {self.folder}/b; proxy_temp_path {self.folder}/p;\n"
            f"fastcgi_temp_path {self.folder}/f; uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;\n"
            f"{servers}}}\n"
        )
        self.start("nginx", [nginx, "-c", str(self.folder / "nginx.conf")])
        for front in ("gateway", "twin_gateway"):
            eventually(lambda front=front: self._answers(front), seconds=60)

    def _answers(self, front: str) -> bool:
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.ports[front]}/v1/posts/1")
        except httpx.HTTPError:
            return False
        return answer.status_code < 500

    def _log_in(self) -> None:
        url = f"http://127.0.0.1:{self.ports['gateway']}/v1"
        person = PERSON if self.size.people > 150 else f"person{self.size.people - 1}"
        answer = httpx.post(f"{url}/auth/login", json={"login": person, "password": PASSWORD}, timeout=20)
        answer.raise_for_status()
        self.access = answer.json()["access"]
        feed = httpx.get(f"{url}/feed", headers={"Authorization": f"Bearer {self.access}"}, timeout=20)
        self.post = next(post["id"] for post in feed.json()["results"] if not post["is_private"])
