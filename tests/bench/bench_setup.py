"""Sets up the bench: product and baseline on one MariaDB and one Redis, behind nginx, with the same demo data."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
import httpx
import MySQLdb
import psutil
import redis
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from socialapp.core.contexts import CONTEXTS
from tests.bench.accounting import Meter, listening
from tests.environment import _private_key
from tests.migrated import create_migrated
from tests.scenarios.product import eventually, free_port

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"
_NOTIFICATIONS = 25
_DRAIN_POLL_SECONDS = 0.5  # seldom: MariaDB's CPU is measured meanwhile
_PORTS = ("web", "sockets", "gateway", "baseline", "baseline_gateway", "compiled", "compiled_gateway")


@dataclass(frozen=True, slots=True)
class Size:
    """The size of the demo data."""

    people: int = 200
    posts: int = 1000
    comments: int = 500
    reactions: int = 1500


def database_server() -> dict[str, Any]:
    """The server of DATABASE_URL."""
    url: dict[str, Any] = dict(environ.Env.db_url_config(os.environ["DATABASE_URL"].replace("{context}", "x")))
    return {**url, "PORT": int(url["PORT"] or 3306)}


@dataclass(frozen=True, slots=True)
class Member:
    """A user of the product's demo data, logged in."""

    id: str
    access: str

    def call(self, setup: "BenchSetup", method: str, path: str, body: Any = None) -> Any:
        """Sends a request through the gateway; returns its response."""
        headers = {"Authorization": f"Bearer {self.access}"}
        url = f"http://127.0.0.1:{setup.ports['gateway']}{path}"
        answer = httpx.request(method, url, json=body, headers=headers, timeout=20).raise_for_status()
        return answer.json()

    def write(self, setup: "BenchSetup", content: str) -> str:
        """Writes a post; returns its id."""
        return str(self.call(setup, "POST", "/v1/posts", {"content": content})["id"])


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the comparison: the gateway's port, the serving process, the caller's token and the post."""

    port: str
    process: str
    access: str
    post: str


@dataclass
class BenchSetup:
    """Everything that runs for the bench; `close()` stops it."""

    folder: Path
    size: Size
    # Only rows need the baseline, and nginx in front of both.
    with_baseline: bool = True
    search_sync: str = "events"
    in_bulk: bool = False  # the demo data are written directly into the tables
    name: str = field(default_factory=lambda: f"bench_{secrets.token_hex(3)}")
    processes: dict[str, psutil.Process] = field(default_factory=dict)
    children: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    access: str = ""
    baseline_access: str = ""
    post: str = ""
    members: list[Member] = field(default_factory=list)
    baseline_post: str = ""
    filled: dict[str, Any] = field(default_factory=dict)  # what `demo` reports
    _server: Any = None

    def open(self) -> None:
        """Starts and fills both sides; without the baseline, only the product, without a gateway in front."""
        self.ports = {name: free_port() for name in _PORTS}
        if not self.with_baseline:
            self.ports["gateway"] = self.ports["web"]
        base = os.environ["DATABASE_URL"].rpartition("/")[0]
        self.environment = {
            **os.environ,
            "DATABASE_URL": f"{base}/{self.name}_{{context}}",
            "BASELINE_DATABASE_URL": f"{base}/{self.name}_baseline",
            "REDIS_PREFIX": f"{self.name}:",
            "ELASTICSEARCH_PREFIX": self.name,
            "DATA_DIR": str(self.folder / "data"),
            "SECRET_KEY": secrets.token_hex(32),
            "JWT_PRIVATE_KEY": _private_key(),
            "RATE_LIMITS": "off",
            "LOG_LEVEL": "INFO",
            "WEB_WORKERS": "2",
            "RECONCILE_EVERY_SECONDS": "2",
            "RECONCILE_AFTER_SECONDS": "4",
            "WEB_PORT": str(self.ports["web"]),
            "SOCKETS_PORT": str(self.ports["sockets"]),
            "PUBLIC_URL": f"http://127.0.0.1:{self.ports['gateway']}",
            "ACCESS_TOKEN_SECONDS": "7200",
            "SEARCH_SYNONYMS": str(self.folder / "synonyms.txt"),
            "SEARCH_SYNC": self.search_sync,
            "PYTHONPATH": str(ROOT),
        }
        (self.folder / "data" / "db").mkdir(parents=True)
        (self.folder / "synonyms.txt").write_text("car, automobile\n")
        create_migrated(os.environ["DATABASE_URL"], {context: f"{self.name}_{context}" for context in CONTEXTS})
        self.sql(f"CREATE DATABASE `{self.name}_baseline` CHARACTER SET utf8mb4")
        sizes = [f"--{what}={getattr(self.size, what)}" for what in ("people", "posts", "comments", "reactions")]
        how = "--bulk" if self.in_bulk else "--no-bulk"
        self.filled = json.loads(self.manage("demo", *sizes, how, f"--password={PASSWORD}", "--json"))
        for role in ("web", "relay", "worker", "sockets", "beat"):
            self.start(role, [sys.executable, "manage.py", "serve", role])
        if self.with_baseline:
            self._fill_baseline()
            baseline = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2"]
            options = ["--blocking-threads", "4", "--port", str(self.ports["baseline"])]
            self.start("baseline", [*baseline, *options, "tests.bench.baseline.app:application"])
            self._start_compiled()
            self._start_gateway()
        else:
            eventually(lambda: self._answers("web"), seconds=120)
        self._log_in()

    def sides(self) -> dict[str, Side]:
        """The sides of the comparison, by name."""
        found = {
            "product": Side("gateway", "web", self.access, self.post),
            "baseline": Side("baseline_gateway", "baseline", self.baseline_access, self.baseline_post),
        }
        if "compiled" in self.processes:
            found["compiled"] = Side("compiled_gateway", "compiled", self.access, self.post)
        return found

    def serve_compiled(self, path: str) -> bool:
        """Stores the product's current response for the compiled server; False if that server does not run."""
        if "compiled" not in self.processes:
            return False
        url = f"http://127.0.0.1:{self.ports['gateway']}{path}"
        answer = httpx.get(url, headers={"Authorization": f"Bearer {self.access}"}, timeout=20).raise_for_status()
        self.redis.set(f"{self.name}:compiled:{path}", answer.content)
        return True

    def _start_compiled(self) -> None:
        """Builds and starts the compiled server, if Go is installed."""
        go = shutil.which("go", path=f"{os.environ['PATH']}:/usr/local/go/bin")
        if go is None:
            return
        binary, key = self.folder / "compiled", self.folder / "public.pem"
        source = ROOT / "tests" / "bench" / "compiled" / "main.go"
        subprocess.run([go, "build", "-o", str(binary), str(source)], check=True, timeout=300)
        private = load_pem_private_key(self.environment["JWT_PRIVATE_KEY"].encode(), password=None)
        key.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        server = urlsplit(os.environ["REDIS_URL"])
        redis_address = f"{server.hostname}:{server.port or 6379}"
        address = f"127.0.0.1:{self.ports['compiled']}"
        self.start("compiled", [str(binary), address, redis_address, f"{self.name}:", str(key)])

    def sql(self, statement: str) -> tuple[tuple[Any, ...], ...]:
        """Runs a statement on the database server; returns its rows."""
        if self._server is None:
            url = database_server()
            self._server = MySQLdb.connect(
                host=url["HOST"], port=url["PORT"], user=url["USER"], password=url["PASSWORD"], autocommit=True
            )
        with self._server.cursor() as cursor:
            cursor.execute(statement)
            return tuple(cursor.fetchall())

    def manage(self, *arguments: str) -> str:
        """Runs a command of the product; returns its output."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"manage.py {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
        return done.stdout

    def start(self, name: str, command: list[str], **variables: str) -> None:
        """Starts a process with additional variables; its CPU is counted under `name`."""
        environment = {**self.environment, **variables}
        with (self.folder / f"{name}.log").open("wb") as log:
            child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        self.children.append(child)
        self.processes[name] = psutil.Process(child.pid)

    def stop(self, name: str) -> None:
        """Stops a process gracefully."""
        child = next(child for child in self.children if child.pid == self.processes[name].pid)
        child.terminate()
        child.wait(timeout=30)

    @cached_property
    def redis(self) -> "redis.Redis":
        """The Redis that both sides use."""
        return redis.Redis.from_url(os.environ["REDIS_URL"])

    def feed_key(self, user_id: int) -> str:
        """The Redis key of a user's home feed."""
        return f"{self.environment['REDIS_PREFIX']}feed:{user_id}"

    def meter(self, *names: str) -> Meter:
        """A meter for the named processes, MariaDB and Redis."""
        groups = {name: [self.processes[name]] for name in names}
        groups["mariadb"] = [listening(database_server()["PORT"])]
        groups["redis"] = [listening(urlsplit(os.environ["REDIS_URL"]).port or 6379)]
        if url := os.environ.get("ELASTICSEARCH_URL"):
            groups["elasticsearch"] = [listening(urlsplit(url).port or 9200)]
        return Meter(groups)

    def drain(self, *, seconds: float = 240) -> None:
        """Waits until the reconciler has confirmed every event, and the databases are idle."""
        deadline = time.monotonic() + seconds
        outboxes = [f"SELECT 1 FROM `{self.name}_{name}`.bus_outbox WHERE state < 2" for name in CONTEXTS]
        while self.sql(f"SELECT EXISTS ({' UNION ALL '.join(outboxes)})")[0][0]:
            if time.monotonic() > deadline:
                raise SystemExit(f"events are unconfirmed after {seconds} s")
            time.sleep(_DRAIN_POLL_SECONDS)

    def forget_unsent(self) -> None:
        """Marks the thousands of events that were not delivered during the measurements as done."""
        for name in CONTEXTS:
            self.sql(f"UPDATE `{self.name}_{name}`.bus_outbox SET state = 2 WHERE state = 0")

    def pause(self, *, paused: bool) -> None:
        """Pauses or resumes relay, worker and beat."""
        for name in ("relay", "worker", "beat"):
            for process in (self.processes[name], *self.processes[name].children(recursive=True)):
                process.send_signal(signal.SIGSTOP if paused else signal.SIGCONT)

    def close(self) -> None:
        """Stops all processes and drops all databases."""
        for child in reversed(self.children):
            child.terminate()
        for child in self.children:
            try:
                child.wait(timeout=15)
            except subprocess.TimeoutExpired:
                child.kill()
        for database in (*CONTEXTS, "baseline"):
            self.sql(f"DROP DATABASE IF EXISTS `{self.name}_{database}`")
        if url := os.environ.get("ELASTICSEARCH_URL"):
            for index in httpx.get(f"{url}/{self.name}*/_alias", timeout=20).json():
                httpx.delete(f"{url}/{index}", timeout=20).raise_for_status()

    def _fill_baseline(self) -> None:
        sizes = [str(getattr(self.size, what)) for what in ("people", "posts", "comments", "reactions")]
        command = [sys.executable, "-m", "tests.bench.baseline.fill", *sizes]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"the baseline could not be filled:\n{done.stderr[-3000:]}")
        filled = json.loads(done.stdout.splitlines()[-1])
        self.baseline_access, self.baseline_post = filled["access"], filled["post"]

    def _start_gateway(self) -> None:
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        if nginx is None:
            raise SystemExit("nginx is needed: tests/services/nginx/start installs it")
        pairs = [("gateway", "web"), ("baseline_gateway", "baseline"), ("compiled_gateway", "compiled")]
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
        for front in ("gateway", "baseline_gateway"):
            eventually(lambda front=front: self._answers(front), seconds=60)  # type: ignore[misc]

    def _answers(self, front: str) -> bool:
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.ports[front]}/v1/posts/1")
        except httpx.HTTPError:
            return False
        return answer.status_code < 500

    def _log_in(self) -> None:
        """Reads are made as the first member; a member that they follow posts, so that they have notifications."""
        self.members = [self.member(self.size.people - number) for number in (1, 2, 3, 4)]
        reader, writer = self.members[:2]
        reader.call(self, "PUT", f"/v1/profiles/{writer.id}/follow")
        for number in range(_NOTIFICATIONS if self.with_baseline else 0):
            writer.write(self, f"worth a notification, number {number}")
        self.access = reader.access
        self.post = reader.call(self, "GET", "/v1/feed?limit=51")["results"][-1]["id"]

    def member(self, number: int) -> Member:
        """Logs in a user of the demo data."""
        url = f"http://127.0.0.1:{self.ports['gateway']}/v1/auth/login"
        answer = httpx.post(url, json={"login": f"person{number}", "password": PASSWORD}, timeout=20)
        signed_in = answer.raise_for_status().json()
        return Member(signed_in["user"]["id"], signed_in["access"])
