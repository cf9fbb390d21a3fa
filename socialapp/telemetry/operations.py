"""A small HTTP server in every role, on `METRICS_PORT`: /metrics for Prometheus, /health/live for liveness probes."""

import threading
import time
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import environ
import structlog

env = environ.Env()  # type: ignore[no-untyped-call]
log = structlog.get_logger()

_TEXT = "text/plain; charset=utf-8"
_NUMBERS = "text/plain; version=1.0.0; charset=utf-8"  # Prometheus' own; its client is not imported yet


class Heartbeat:
    """Alive as long as `beat()` was called recently enough."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = time.monotonic()

    def beat(self) -> None:
        """Called by the loop that must not hang."""
        self._last = time.monotonic()

    def __call__(self) -> bool:
        """Whether it was called recently enough."""
        return time.monotonic() - self._last < self._seconds


def serve_operations(is_alive: Callable[[], bool]) -> None:
    """Serves `METRICS_PORT` in a thread, if it is set; a port that is taken does not stop the role."""
    port = env.int("METRICS_PORT", default=0)
    if not port:
        return
    try:
        server = make_server(
            env.str("METRICS_BIND", default="127.0.0.1"), port, _application(is_alive), _Server, _Quiet
        )
    except OSError as error:
        log.warning("metrics.port_not_open", port=port, error=str(error))
        return
    threading.Thread(target=server.serve_forever, name="operations", daemon=True).start()


def _application(is_alive: Callable[[], bool]) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        status, kind, body = _answer(environ.get("PATH_INFO"), is_alive)
        start_response(status, [("Content-Type", kind), ("Cache-Control", "no-store")])
        return [body]

    return answer


def _answer(path: str | None, is_alive: Callable[[], bool]) -> tuple[str, str, bytes]:
    match path:
        case "/health/live" if is_alive():
            return "200 OK", _TEXT, b"live\n"
        case "/health/live":
            return "503 Service Unavailable", _TEXT, b"hanging\n"
        case "/metrics":
            return "200 OK", _NUMBERS, _numbers()
        case _:
            return "404 Not Found", _TEXT, b"not found\n"


def _numbers() -> bytes:
    from django.db import connections

    from socialapp.telemetry.metrics import exposition

    try:
        return exposition()
    finally:
        connections.close_all()  # those of this thread, which serves one request


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    timeout = 10

    def log_message(self, format: str, *args: Any) -> None:
        """Suppresses the log line for every probe."""
