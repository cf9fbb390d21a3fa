"""The Prometheus metrics of the processes. docs/observability.md explains every name.

Processes that share `PROMETHEUS_MULTIPROC_DIR` are summed (see `multiprocess.py`); otherwise each exposes its own.
"""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import psutil
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY, Collector

_requests = Counter("socialapp_http_requests", "Requests answered.", ["method", "route", "status"])
_durations = Histogram(
    "socialapp_http_request_seconds",
    "Time from the first byte of middleware to the answer.",
    ["method", "route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
_published = Counter("socialapp_events_published", "Events written to the outbox.", ["type"])
_sent = Counter("socialapp_events_sent", "Events given to the broker.", ["type"])
_deliveries = Counter(
    "socialapp_deliveries", "Events that handlers took (handled), refused (failed) or lost (dead).", ["type", "outcome"]
)
_delivery_seconds = Histogram(
    "socialapp_delivery_seconds",
    "Time from the commit of an event to the commit of what a context made of it.",
    ["context", "type"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0),
)
_delivery_lag = Gauge(
    "socialapp_delivery_lag_seconds",
    "Age of the event that a context took last; of search: how far the index is behind.",
    ["context"],
    multiprocess_mode="mostrecent",
)
_retries = Counter("socialapp_delivery_retries", "Failed deliveries that were sent again.", ["context"])
_calls = Counter("socialapp_calls", "Calls to contexts in other processes.", ["context", "outcome"])
_cache_reads = Counter("socialapp_cache_reads", "Reads of caches that can be rebuilt.", ["cache", "outcome"])
_sockets = Gauge("socialapp_sockets_connected", "WebSockets open and signed in.", multiprocess_mode="livesum")
_asked = CollectorRegistry(auto_describe=False)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count_request(request: HttpRequest, *, response: HttpResponse, seconds: float) -> None:
    """Counts one answered request under its route, not its path: the number of routes is bounded."""
    method = request.method if request.method in _METHODS else "other"
    requests, durations = _of_route(str(method), route_of(request), response.status_code)
    requests.inc()
    durations.observe(seconds)


@lru_cache(maxsize=4096)
def _of_route(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return _requests.labels(method, route, str(status)), _durations.labels(method, route)


def route_of(request: HttpRequest) -> str:
    """The URL pattern that matched a request."""
    return (request.resolver_match.route or "/") if request.resolver_match else "unmatched"


def count_published(types: Iterable[str]) -> None:
    """Counts events written to an outbox, including those whose transaction is rolled back later."""
    for event_type in types:
        _published.labels(event_type).inc()


def count_sent(event_type: str, *, count: int) -> None:
    """Counts events that the broker has accepted."""
    _sent.labels(event_type).inc(count)


def count_handled(context: str, *, event_type: str, published_at: datetime) -> None:
    """Counts one event that a handler of `context` has handled and committed."""
    age = max((datetime.now(UTC) - published_at).total_seconds(), 0.0)
    _deliveries.labels(event_type, "handled").inc()
    _delivery_seconds.labels(context, event_type).observe(age)
    _delivery_lag.labels(context).set(age)


def count_failed(event_type: str, *, dead: bool) -> None:
    """Counts one event that a handler failed on; `dead`: it is not retried."""
    _deliveries.labels(event_type, "dead" if dead else "failed").inc()


def count_retries(context: str, *, count: int) -> None:
    """Counts failed deliveries that were retried."""
    _retries.labels(context).inc(count)


def count_call(context: str, *, outcome: str) -> None:
    """Counts one call to another process: answered, refused (with a problem), failed or kept back."""
    _calls.labels(context, outcome).inc()


def count_cache_read(cache: str, *, outcome: str) -> None:
    """Counts one read of a cache: hit, miss, or away (Redis does not respond)."""
    _cache_reads.labels(cache, outcome).inc()


def count_socket(step: int) -> None:
    """Counts a WebSocket that signed in (1) or left (-1)."""
    _sockets.inc(step)


def add_collector(collector: Collector) -> None:
    """Adds `collector` to `exposition`, for metrics that are computed at each scrape."""
    _asked.register(collector)


def exposition() -> bytes:
    """Prometheus' text format: the processes' metrics, then those that the added collectors compute now."""
    registry: CollectorRegistry = REGISTRY
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        _drop_dead_gauges(Path(folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry) + generate_latest(_asked)


def _drop_dead_gauges(folder: Path) -> None:
    """Drops the gauges of processes that have ended; their counters stay in the sums."""
    for path in folder.glob("gauge_live*_*.db"):
        pid = path.stem.rpartition("_")[2]
        if pid.isdigit() and not _runs(int(pid)):
            path.unlink(missing_ok=True)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
