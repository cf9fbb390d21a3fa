"""`./run`: the whole product on one machine. Prepares the environment, then supervises the roles."""

import argparse
import contextlib
import errno
import fcntl
import gc
import io
import ipaddress
import json
import logging
import os
import socket
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import structlog

from socialapp.runtime.roles import FEWER_ROLES, ROLES, preload, worker_pool
from socialapp.runtime.supervisor import Service, Supervisor, announce
from socialapp.telemetry.multiprocess import share_metrics

ROOT = Path(__file__).resolve().parents[2]
_READY_SECONDS = 60.0
_ADMIN = "admin"
_BROUGHT_ALONG = {"DATABASE_URL": "SQLite", "REDIS_URL": "a Valkey of its own", "SECRET_KEY": "secrets made here"}

_DESCRIPTION = "Runs socialapp: API, admin, docs, WebSocket and landing page on one address."
_EPILOG = """\
environment:
  HOST, PORT           where to answer (127.0.0.1, 8000)
  DATA_DIR             databases, uploads, mails, logs and secrets (./var)
  DATABASE_URL         mysql://user:password@host/{context} instead of one SQLite file per context
  REDIS_URL            redis://… instead of the Valkey that comes along
  BROKER_URL           amqp://… instead of REDIS_URL
  KAFKA_URL            kafka://… for events instead of BROKER_URL
  ELASTICSEARCH_URL    http://… instead of SQLite's full text search
  EMAIL_URL            smtp://… instead of files in DATA_DIR/mail
  SECRET_KEY, JWT_PRIVATE_KEY, SERVICE_SECRET
                       instead of those made once in DATA_DIR/secrets.env
All variables: .env.example; a file .env beside it is read too. Logs: DATA_DIR/logs/<role>.log, one JSON object a line.

commands in the same environment:
  ./run manage COMMAND   any of `manage.py help`, as: ./run manage bus status
  ./run manage serve ROLE   one role alone: web, sockets, relay, worker or beat
"""


class CannotStart(Exception):
    """Why it cannot start, in one line for the user at the terminal."""


@dataclass(frozen=True, slots=True)
class InstallPaths:
    """The paths of this installation, and the host and port it serves on."""

    data_dir: Path
    sockets_dir: Path
    host: str
    port: int

    @property
    def url(self) -> str:
        """The URL for a browser on this machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def run_dir(self) -> Path:
        """The folder of files that matter only while it runs."""
        return self.data_dir / "run"

    @property
    def redis_note(self) -> Path:
        """The file with the embedded Valkey's URL, for `./run manage`."""
        return self.run_dir / "redis.url"

    @property
    def demo_note(self) -> Path:
        """The file with the log-in of a demo account."""
        return self.data_dir / "demo.json"


def main(arguments: list[str]) -> int:
    """Runs the command and returns the exit status."""
    os.umask(0o077)  # nobody else on this machine may read databases, mails and logs
    try:
        if arguments[:1] == ["manage"]:
            return _manage(arguments[1:])
        return _run(_parser().parse_args(arguments))
    except CannotStart as reason:
        announce(str(reason))
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--no-demo", action="store_true", help="do not load demo data the first time")
    parser.add_argument("--expose", action="store_true", help="allow a HOST that others can reach, though embedded")
    return parser


def _run(options: argparse.Namespace) -> int:
    _read_env_file()
    with tempfile.TemporaryDirectory(prefix="socialapp-") as sockets_dir:
        place = _place(Path(sockets_dir))
        lock = _lock(place)
        embedded = _fill_in_environment(place)
        _check_exposure(place, embedded, allowed=options.expose)
        supervisor = Supervisor(place.data_dir / "logs")
        try:
            return _supervise(supervisor, place, embedded, demo=not options.no_demo)
        finally:
            supervisor.stop()
            place.redis_note.unlink(missing_ok=True)
            lock.close()


def _manage(arguments: list[str]) -> int:
    """Runs manage.py with the secrets, data and Valkey of this installation."""
    _read_env_file()
    place = _place(Path(tempfile.gettempdir()), check_port=False)
    _fill_in_environment(place, running=place.redis_note)
    from socialapp.runtime.commands import run_command

    run_command(["./run manage", *arguments])
    return 0


def _read_env_file() -> None:
    import environ

    if (ROOT / ".env").exists():
        environ.Env.read_env(str(ROOT / ".env"))


def _place(sockets_dir: Path, *, check_port: bool = True) -> InstallPaths:
    try:
        port = int(os.environ.get("PORT", "8000"))
    except ValueError:
        raise CannotStart(f"PORT must be a number, not {os.environ['PORT']!r}") from None
    data_dir = Path(os.environ.get("DATA_DIR", str(ROOT / "var"))).resolve()
    place = InstallPaths(data_dir, sockets_dir, os.environ.get("HOST", "127.0.0.1"), port)
    try:
        for folder in ("db", "logs", "mail", "media", "run"):
            (data_dir / folder).mkdir(parents=True, exist_ok=True)
        _close_to_others(data_dir)
        with tempfile.TemporaryFile(dir=data_dir):
            pass
    except OSError as error:
        raise CannotStart(f"DATA_DIR {data_dir} cannot be used: {error.strerror}") from None
    if check_port:
        _check_port(place)
    return place


def _close_to_others(folder: Path) -> None:
    """Removes the permissions that an earlier release or a wider umask gave to others; folders of other owners stay as
    is."""
    found = folder.stat()
    if found.st_uid == os.getuid() and found.st_mode & 0o077:
        folder.chmod(0o700)


def _check_port(place: InstallPaths) -> None:
    try:
        family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((place.host, place.port))
    except (OSError, OverflowError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        reason = "it is taken by another program (choose another with PORT=…)" if taken else str(error)
        raise CannotStart(f"cannot answer on {place.host} port {place.port}: {reason}") from None


def _lock(place: InstallPaths) -> IO[str]:
    """Held while it runs: two of them on one data folder would share the databases but not the Valkey."""
    lock = (place.run_dir / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise CannotStart(f"DATA_DIR {place.data_dir} is in use by another ./run") from None
    return lock


def _fill_in_environment(place: InstallPaths, *, running: Path | None = None) -> list[str]:
    """Sets missing environment variables; returns which parts are embedded. `running` is the note of a running
    Valkey."""
    from socialapp.runtime.embedded import (
        BUFFERED_BODY_BYTES,
        BUFFERED_UPLOAD_BYTES,
        free_port,
        secrets_of,
        write_private,
    )

    given = set(os.environ)
    try:
        made = secrets_of(place.data_dir)
    except OSError as error:
        raise CannotStart(f"{place.data_dir / 'secrets.env'} cannot be used: {error.strerror}") from None
    password = made.pop("VALKEY_PASSWORD", "")
    if "REDIS_URL" not in given:
        url = f"redis://:{password}@127.0.0.1:{free_port()}/0"
        if running and running.exists():
            url = running.read_text().strip()
        elif not running:
            write_private(place.redis_note, text=url)
        os.environ["REDIS_URL"] = url
        os.environ["EMBEDDED_VALKEY"] = "yes"
    for name, value in {
        **made,
        "DJANGO_SETTINGS_MODULE": "socialapp.settings",
        "DATA_DIR": str(place.data_dir),
        "PUBLIC_URL": place.url,
        "ALLOWED_ORIGINS": ",".join(dict.fromkeys([place.url, place.url.replace("//127.0.0.1:", "//localhost:")])),
        "TRUSTED_PROXIES": "1",
        "MEDIA_ACCEL": "yes",
        "BUFFERED_BODY_BYTES": str(BUFFERED_BODY_BYTES),
        "BUFFERED_UPLOAD_BYTES": str(BUFFERED_UPLOAD_BYTES),
        "BIND": f"unix:{place.sockets_dir}",
    }.items():
        os.environ.setdefault(name, value)
    if _is_loopback(place.host):
        # While evaluating, all clients, scripts and tests come from this one address.
        os.environ.setdefault("RATE_ADDRESS_FACTOR", "50")
    return [what for name, what in _BROUGHT_ALONG.items() if name not in given]


def _check_exposure(place: InstallPaths, embedded: list[str], *, allowed: bool) -> None:
    if not embedded:
        return
    announce(f"embedded mode, for trying out: {', '.join(embedded)}; for servers see docs/operating.md")
    if _is_loopback(place.host):
        return
    if not allowed:
        raise CannotStart(f"HOST={place.host} can be reached by others; embedded mode needs --expose for that")
    os.environ.setdefault("ALLOWED_HOSTS", "*")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _supervise(supervisor: Supervisor, place: InstallPaths, embedded: list[str], *, demo: bool) -> int:
    from socialapp.runtime.embedded import gateway

    share_metrics("web")
    if os.environ.get("EMBEDDED_VALKEY"):
        supervisor.start([_valkey_service(place)])
    _load_django()
    if code := supervisor.run_once("prepare", partial(_prepare, place, embedded=bool(embedded))):
        if supervisor.stopping:
            return 0
        raise CannotStart(f"the databases could not be prepared (status {code}); see {place.data_dir}/logs/prepare.log")
    _share_memory()
    from django.conf import settings

    # A process that forks, as other pools do, must have no threads.
    roles = FEWER_ROLES if settings.EMBEDDED and worker_pool() == "threads" else ROLES
    supervisor.start(Service(name, run) for name, run in roles.items())
    run_gateway = gateway(
        place.run_dir,
        host=place.host,
        port=place.port,
        sockets_dir=place.sockets_dir,
        media_dir=place.data_dir / "media",
        names=["*"] if "*" in settings.ALLOWED_HOSTS else settings.ALLOWED_HOSTS,
    )
    supervisor.start([Service("gateway", run_gateway)])
    if not supervisor.run_until(lambda: _answers(place), _READY_SECONDS):
        if supervisor.stopping:
            return 0
        raise CannotStart(f"no answer within {_READY_SECONDS:g} s; see {place.data_dir}/logs")
    _welcome(place)
    is_ours = _done_note(place, "the admin account").exists()
    if embedded and demo and is_ours and not _done_note(place, "demo data").exists():
        supervisor.run_once("demo", partial(_make_demo, place))  # people can look around meanwhile
        _print_demo_account(place)
    supervisor.run()
    return 0


def _valkey_service(place: InstallPaths) -> Service:
    from urllib.parse import urlsplit

    from socialapp.runtime.embedded import valkey

    url = urlsplit(os.environ["REDIS_URL"])
    run = valkey(place.run_dir, port=url.port or 0, password=url.password or "")
    return Service("valkey", run, stops_last=True, shown=False)


def _load_django() -> None:
    import django

    gc.disable()  # see manage.py
    try:
        django.setup()
        preload()
    except Exception as error:
        raise CannotStart(f"the application does not load: {type(error).__name__}: {error}") from error


def _share_memory() -> None:
    """Keeps the garbage collector from touching, and so copying, memory that the forked roles share."""
    gc.collect()
    gc.freeze()


def _prepare(place: InstallPaths, *, embedded: bool) -> None:
    """Creates tables and the admin account; in a process of its own, so that the supervisor holds no connection."""
    from django.core.management import call_command, get_commands

    _wait_for_redis()
    with _synced_at_the_end():
        call_command("migrate_all", verbosity=0)
        if embedded and "create_admin" in get_commands() and _is_new(place):
            _once(place, "the admin account", lambda: _create_admin(place))


def _is_new(place: InstallPaths) -> bool:
    """Whether this is a first start, and not one with a restored backup, in which more people have accounts."""
    from datetime import UTC, datetime
    from itertools import islice

    from socialapp.ops.bulk import export_records

    if _done_note(place, "the admin account").exists():
        return False
    return all(user["username"] == _ADMIN for user in islice(export_records("user", until=datetime.now(UTC)), 2))


def _make_demo(place: InstallPaths) -> None:
    """Loads demo data; also in a process of its own."""
    logging.getLogger().setLevel(logging.WARNING)  # it makes hundreds of requests
    _once(place, "demo data", lambda: _load_demo(place))


def _once(place: InstallPaths, name: str, do: Callable[[], object]) -> None:
    if _done_note(place, name).exists():
        return
    sys.stderr.write(f"making {name} (only the first time)\n")
    try:
        do()
        _done_note(place, name).touch()
    except Exception:
        structlog.get_logger("socialapp.runtime.run").exception(f"making {name} failed")  # the rest works without it


def _done_note(place: InstallPaths, name: str) -> Path:
    return place.run_dir / f"{name.replace(' ', '-')}.done"


@contextlib.contextmanager
def _synced_at_the_end() -> Iterator[None]:
    """Makes this process, which has opened no connections yet, sync to disk once instead of at every commit.

    SQLite then still survives the end of the process, but not a power cut before the sync: only for data that would be
    created again. Source: https://www.sqlite.org/pragma.html#pragma_synchronous
    """
    from django.conf import settings
    from django.db import connections

    names = [name for name, found in settings.DATABASES.items() if "sqlite" in found.get("ENGINE", "")]
    for name in names:
        options = settings.DATABASES[name]["OPTIONS"]
        options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=NORMAL")
    yield
    for name in names:
        with connections[name].cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _create_admin(place: InstallPaths) -> None:
    from django.core.management import call_command

    call_command("create_admin", username=_ADMIN, email="admin@example.org")  # with ADMIN_PASSWORD


def _load_demo(place: InstallPaths) -> None:
    """Loads the demo people, and notes the log-in of one for the landing page and for continuing after an
    interruption."""
    from django.core.management import call_command

    from socialapp.demo.story import HERO, new_password, username_of
    from socialapp.runtime.embedded import write_private

    if not place.demo_note.exists():
        note = {"username": username_of(HERO), "password": new_password()}
        write_private(place.demo_note, text=json.dumps(note))
    with _synced_at_the_end():
        call_command("demo", password=json.loads(place.demo_note.read_text())["password"], stdout=io.StringIO())


def _wait_for_redis() -> None:
    import time

    from socialapp.core.cache import redis_client, redis_errors

    for _ in range(100):
        try:
            redis_client().ping()
            return
        except redis_errors():
            time.sleep(0.05)
    announce("Redis does not answer yet; going on without it")


def _answers(place: InstallPaths) -> bool:
    try:
        with urllib.request.urlopen(f"{place.url}/health/live", timeout=2) as answer:  # noqa: S310
            answer.read()
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def _welcome(place: InstallPaths) -> None:
    lines = [f"ready at {place.url}  (API /v1, docs /v1/docs, admin /admin/, WebSocket /ws/notifications/)"]
    if _done_note(place, "the admin account").exists():
        lines.append(f"admin: log in as admin with the password ADMIN_PASSWORD of {place.data_dir / 'secrets.env'}")
    lines.append("Ctrl-C ends it")
    for line in lines:
        announce(line)
    _print_demo_account(place)


def _print_demo_account(place: InstallPaths) -> None:
    if _done_note(place, "demo data").exists():
        account = json.loads(place.demo_note.read_text())
        announce(f"demo:  log in as {account['username']} with the password {account['password']}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
