"""The roles of processes: web, sockets, relay, worker, beat. Each runs until SIGTERM or SIGINT."""

import gc
import multiprocessing
import os
import signal
import sys
import threading
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import environ

from socialapp.core.processes import end_with_parent, name_process
from socialapp.telemetry import traces
from socialapp.telemetry.operations import serve_operations

env = environ.Env()  # type: ignore[no-untyped-call]
os.environ.setdefault("CELERY_SKIP_CHECKS", "yes")  # `serve` has run Django's checks; once is enough

WEB_PORT = 8001
_GRACE_SECONDS = 5
_LAST_SECONDS = 1.5
_BEAT_SECONDS = 1  # the longest sleep between checks for due tasks, and so the longest delay of a signal
_SOCKET_MESSAGE_BYTES = 65_536

# Modules that the roles import anyway: loaded before the supervisor forks, so that all of them share the memory.
PRELOAD = (
    "socialapp.wsgi",
    "socialapp.asgi",
    "socialapp.messaging.relay",
    "socialapp.urls",
    "billiard.pool",
    "celery.app.amqp",
    "celery.app.control",
    "celery.app.events",
    "celery.app.log",
    "celery.app.routes",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.concurrency.thread",
    "celery.contrib.django.task",
    "celery.events",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.consumer.delayed_delivery",
    "celery.worker.strategy",
    "concurrent.futures.thread",
    "django.db.models.sql.compiler",
    "granian.server",
    "kombu.transport.redis",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "socialapp.runtime.websockets",
)


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a role listens: a Unix socket, or an address and port."""

    path: Path | None = None
    host: str = ""
    port: int = 0


def binding(role: str, *, default_port: int) -> Binding:
    """From `BIND` (an address, or `unix:<folder>` for `<folder>/<role>.sock`) and `<ROLE>_PORT`."""
    where = env.str("BIND", default="127.0.0.1")
    if where.startswith("unix:"):
        return Binding(path=Path(where.removeprefix("unix:")) / f"{role}.sock")
    return Binding(host=where, port=env.int(f"{role.upper()}_PORT", default=default_port))


def preload() -> None:
    """Imports what the roles need, so that forked roles share it. It opens no connection and starts no thread."""
    for module in PRELOAD:
        import_module(module)
    from django.db import connections
    from django.template import engines

    from socialapp.celery import app

    engines.all()  # loads the libraries of tags, for pages and mails
    for alias in connections.settings:
        connections[alias]  # loads the database's driver; it connects at its first use
    app.finalize()
    app.loader.init_worker()  # finds the tasks, which worker and beat would otherwise do each for itself


def answers(where: Binding) -> bool:
    """Whether the server of this role responds, with any status."""
    if where.path:
        return where.path.exists()
    host = "127.0.0.1" if where.host in ("0.0.0.0", "") else where.host
    try:
        urllib.request.urlopen(f"http://{host}:{where.port}/health/live", timeout=3).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def web() -> None:
    """REST, admin and static files over WSGI."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    where = binding("web", default_port=WEB_PORT)
    if where.path:
        where.path.unlink(missing_ok=True)
    workers = env.int("WEB_WORKERS", default=1)
    server = Server(
        "socialapp.wsgi:application",
        address=where.host,
        port=where.port,
        uds=where.path,
        interface=Interfaces.WSGI,
        workers=workers,
        respawn_failed_workers=workers > 1,  # a worker that dies only takes its own requests with it
        blocking_threads=env.int("WEB_THREADS", default=4),
        workers_kill_timeout=_GRACE_SECONDS,
        log_level=LogLevels.warning,
        log_dictconfig={"handlers": {}, "loggers": {"_granian": {}}},  # its lines go to our handlers too
    )
    multiprocessing.set_start_method("fork", force=True)  # newer Pythons would load everything again in each worker
    serve_operations(lambda: answers(where))
    server.serve(target_loader=_wsgi_application, wrap_loader=False)


def _wsgi_application() -> Any:
    """Called by granian in each of its workers."""
    end_with_parent()
    import socialapp.urls  # noqa: F401  (otherwise loaded by the first request)
    from socialapp.wsgi import application

    # Objects loaded here are frozen too: the garbage collector need not scan them again and again.
    gc.collect()
    gc.freeze()
    return application


def sockets() -> None:
    """WebSockets over ASGI."""
    from django.conf import settings

    where = binding("sockets", default_port=8002)
    if where.path:
        where.path.unlink(missing_ok=True)
    serve_operations(lambda: answers(where))
    for sent in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sent, lambda *_: sys.exit(0))  # at its end, uvicorn raises the signal again
    try:
        _serve_sockets(where, trusts_proxies=bool(settings.TRUSTED_PROXIES))
    finally:
        _end_by(_LAST_SECONDS)
        traces.flush()


def _serve_sockets(where: Binding, *, trusts_proxies: bool) -> None:
    import uvicorn

    uvicorn.run(
        "socialapp.asgi:application",
        host=where.host,
        port=where.port,
        uds=str(where.path) if where.path else None,
        loop="uvloop",
        http="httptools",
        ws="socialapp.runtime.websockets:BoundedWebSocket",
        ws_max_size=_SOCKET_MESSAGE_BYTES,
        ws_per_message_deflate=False,  # 30 KiB per socket, and more CPU than sending, for messages of 300 bytes
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=trusts_proxies,
        forwarded_allow_ips="*" if trusts_proxies else None,
        timeout_graceful_shutdown=_GRACE_SECONDS - 2,
    )


def relay() -> None:
    """Sends committed events to the broker."""
    from socialapp.messaging.relay import Relay

    loop = Relay()
    _stop_with(loop.stop)  # if a broker hangs: claimed events are free again when the claim expires
    serve_operations(loop.is_alive)
    loop.run()
    traces.flush()


def worker_pool() -> str:
    """How the worker runs tasks: `threads`, or `prefork` in processes of its own."""
    from django.conf import settings

    return env.str("WORKER_POOL", default="threads" if settings.EMBEDDED else "prefork")


def worker() -> None:
    """Delivers events to their handlers and runs the contexts' tasks."""
    from celery import signals
    from celery.exceptions import SecurityWarning
    from django.conf import settings

    from socialapp.celery import app, slow_tasks
    from socialapp.messaging.transports.celery import queue_names

    signals.worker_process_init.connect(lambda **_: end_with_parent(), weak=False)
    signals.worker_process_shutdown.connect(lambda **_: traces.flush(), weak=False)
    signals.worker_shutting_down.connect(_hand_back_in_time, weak=False)
    takes_events = settings.WORKER_QUEUES != "slow"
    consumer = _start_consumer() if settings.KAFKA_URL and takes_events else None
    serve_operations(lambda: True)
    # Celery warns about root because of pickle; only JSON is accepted here, and in a container root is usual.
    warnings.simplefilter("ignore", SecurityWarning)
    pool = worker_pool()
    processor = app.Worker(
        pool=pool,
        queues=queue_names(slow_tasks()),
        concurrency=env.int("WORKER_CONCURRENCY", default=2 if pool == "threads" else (os.cpu_count() or 1)),
        loglevel=settings.LOG_LEVEL,
        quiet=True,
        redirect_stdouts=False,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    processor.start()
    if consumer:
        consumer.join(_GRACE_SECONDS)
    traces.flush()
    sys.exit(processor.exitcode)


def _start_consumer() -> BaseProcess:
    """Kafka's events are consumed by a child, as a process that forks must have no threads; neither outlives the
    other."""
    child = multiprocessing.get_context("fork").Process(target=_consume, name="consumer", daemon=True)
    child.start()
    beside_worker("consumer", run=child.join, stop=child.terminate).start()
    return child


def _consume() -> None:
    from socialapp.messaging.transports.kafka_consumer import consume

    stopping = threading.Event()
    _stop_with(stopping.set)
    end_with_parent()
    name_process("consumer")
    consume(stopping)
    traces.flush()


def _hand_back_in_time(how: str, **_: object) -> None:
    """Returns unfinished tasks to the broker when the time is over: first by asking Celery, then by exiting."""
    if how == "Warm":
        asking = threading.Timer(_GRACE_SECONDS, os.kill, (os.getpid(), signal.SIGQUIT))
        asking.daemon = True
        asking.start()
        _end_by(_GRACE_SECONDS + _LAST_SECONDS)


def _stop_with(stop: Callable[[], object]) -> None:
    """Has SIGTERM and SIGINT call `stop`, after which this process has the grace period to end by itself."""

    def end(*_: object) -> None:
        _end_by(_GRACE_SECONDS)
        stop()

    for sent in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sent, end)


def _end_by(seconds: float) -> None:
    """Exits after that many seconds, whatever hangs; an open transaction is rolled back."""
    ending = threading.Timer(seconds, os._exit, (0,))
    ending.daemon = True
    ending.start()


def beat() -> None:
    """Sends periodic tasks when they are due. One process of this role is enough; a second does no harm."""
    from celery import signals
    from django.conf import settings

    from socialapp.celery import app

    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    serve_operations(lambda: True)
    signals.beat_init.connect(_stop_between_tasks, weak=False)
    app.Beat(
        scheduler="socialapp.runtime.scheduler:SteadyScheduler",
        schedule=str(settings.DATA_DIR / "beat-schedule"),
        max_interval=_BEAT_SECONDS,
        quiet=True,
        redirect_stdouts=False,
        loglevel="WARNING",
    ).run()


def _stop_between_tasks(sender: Any, **_: object) -> None:
    """Lets beat finish the task it is sending before it ends.

    Celery's own handler closes the connection at once, even in the middle of a read: it then takes the rest of a partly
    received answer for the next one, and waits forever.
    """
    _stop_with(sender.stop)


def background() -> None:
    """Worker, relay and beat in one process."""
    from celery import signals
    from celery.beat import Service
    from django.conf import settings

    from socialapp.celery import app
    from socialapp.messaging.relay import Relay
    from socialapp.runtime.scheduler import SteadyScheduler

    loop = Relay()
    timer = Service(
        app,  # type: ignore[arg-type]
        max_interval=_BEAT_SECONDS,
        schedule_filename=str(settings.DATA_DIR / "beat-schedule"),
        scheduler_cls=SteadyScheduler,
    )
    threads = [
        beside_worker("relay", run=loop.run, stop=loop.stop),
        beside_worker("beat", run=timer.start, stop=timer.stop),
    ]

    def start(**_: object) -> None:
        for thread in threads:
            thread.start()

    signals.worker_init.connect(start, weak=False)  # after it has forked a consumer, which must have no threads
    try:
        worker()
    finally:
        for thread in threads:
            if thread.is_alive():
                thread.join(_LAST_SECONDS)


def beside_worker(name: str, *, run: Callable[[], object], stop: Callable[[], object]) -> threading.Thread:
    """A thread that is asked to stop with the worker, and that ends the worker if it ends before."""
    from celery import signals

    stopping = threading.Event()

    def run_to_end() -> None:
        try:
            run()
        finally:
            if not stopping.is_set():
                os.kill(os.getpid(), signal.SIGTERM)

    def end(**_: object) -> None:
        stopping.set()
        stop()

    signals.worker_shutting_down.connect(end, weak=False)
    return threading.Thread(target=run_to_end, name=name, daemon=True)


def _role(run: Callable[[], None]) -> Callable[[], None]:
    @wraps(run)
    def serve() -> None:
        from socialapp.core.db import set_database_timeouts

        set_database_timeouts(skip_silent=run in (web, sockets))
        run()

    return serve


ROLES = {run.__name__: _role(run) for run in (web, sockets, relay, worker, beat)}
# The same on a small machine: every process copies 14 MiB or more of the memory that it shares with the others.
FEWER_ROLES = {run.__name__: _role(run) for run in (web, sockets, background)}
