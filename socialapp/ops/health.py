"""Health checks and metrics for machines: liveness, readiness, Prometheus. Not reachable through the gateway.

A process is ready if its own databases respond. Redis, the broker and the search engine are reported too, but the
process keeps serving without them (events wait in the outbox, search returns 503), so that an outage of one of them
does not take every process out of the gateway at once.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST

from socialapp.core.json import to_json
from socialapp.http.problems import reading_only
from socialapp.ops.probes import PROBE_SECONDS, Dependency, dependencies
from socialapp.telemetry.metrics import exposition


@reading_only
def live(request: HttpRequest) -> HttpResponse:
    """200 as long as the process can respond at all."""
    return _json({"status": "live"})


@reading_only
def ready(request: HttpRequest) -> HttpResponse:
    """200 if everything it needs responds, else 503; names each dependency. Takes at most `PROBE_SECONDS`."""
    states = _probe(dependencies())
    needed_down = any(state["needed"] and state["status"] == "down" for state in states.values())
    any_down = any(state["status"] == "down" for state in states.values())
    status = "unavailable" if needed_down else "degraded" if any_down else "ready"
    return _json({"status": status, "dependencies": states}, status=503 if needed_down else 200)


@reading_only
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format: requests by route, and how far each served context's events have come.

    With `PROMETHEUS_MULTIPROC_DIR` set, the requests of all processes that share the folder are summed.
    """
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def _probe(asked: list[Dependency]) -> dict[str, dict[str, Any]]:
    """Probes all at once; those that have not responded in time count as down."""
    pool = ThreadPoolExecutor(max_workers=len(asked), thread_name_prefix="probe")
    started = {dependency.name: pool.submit(_timed, dependency.check) for dependency in asked}
    wait(started.values(), timeout=PROBE_SECONDS)
    pool.shutdown(wait=False, cancel_futures=True)
    states: dict[str, dict[str, Any]] = {}
    for dependency in asked:
        future = started[dependency.name]
        is_up = future.done() and not future.cancelled() and future.exception() is None
        states[dependency.name] = {
            "status": "up" if is_up else "down",
            "needed": dependency.is_needed,
            "milliseconds": future.result() if is_up else None,
        }
    return states


def _timed(check: Callable[[], None]) -> float:
    started = time.perf_counter()
    check()
    return round((time.perf_counter() - started) * 1000, 1)


def _json(body: dict[str, Any], *, status: int = 200) -> HttpResponse:
    return HttpResponse(
        to_json(body), status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )
