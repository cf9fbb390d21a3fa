"""Traces: one OpenTelemetry span per request, event in transit, handler and call. Off by default, at no cost.

On if `OTEL_EXPORTER_OTLP_ENDPOINT` is set; OpenTelemetry's other variables (OTEL_TRACES_SAMPLER and so on) apply too.
The `traceparent` among structlog's context variables carries a trace through the code: logs show it, envelopes and
calls carry it. Source: W3C Trace Context. Within a span, OpenTelemetry's own instrumentations add the requests to
Celery, Redis and MySQL (docs/adr/0024-traces.md).
"""

import multiprocessing
import multiprocessing.util
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import structlog

log = structlog.get_logger()

_EXPORT_SECONDS = 2.0
_FLUSH_SECONDS = 2.0
_DELAY_MILLISECONDS = 1000

Attribute = str | int | float | bool


class Kind(Enum):
    """OpenTelemetry's kinds of span."""

    SERVER = "SERVER"
    CLIENT = "CLIENT"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"


class Described:
    """An open span; a no-op if tracing is off."""

    def __init__(self, span: Any = None) -> None:
        self._span = span

    def describe(self, name: str, **attributes: Attribute) -> None:
        """Sets the name and attributes that are known only later."""
        if self._span is not None:
            self._span.update_name(name)
            self._span.set_attributes(attributes)

    def fail(self, reason: str) -> None:
        """Marks the span as failed."""
        if self._span is not None:
            from opentelemetry.trace import Status, StatusCode

            self._span.set_status(Status(StatusCode.ERROR, reason))


_NOTHING = Described()


def is_on() -> bool:
    """Whether tracing is on."""
    return bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")) and _is_installed()


@cache
def _is_installed() -> bool:
    try:
        found = find_spec("opentelemetry.sdk") is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        log.warning("traces.not_installed", remedy="pip install -r requirements-mysql.txt")
    return found


def current() -> str:
    """The traceparent of the running code, to pass on; empty if tracing is off."""
    return str(structlog.contextvars.get_contextvars().get("traceparent", "")) if is_on() else ""


@contextmanager
def span(name: str, *, kind: Kind, parent: str | None = None, **attributes: Attribute) -> Iterator[Described]:
    """A span around the block, which gets its `traceparent`. `parent`: a traceparent; "": none; None: the current
    one."""
    if not is_on():
        yield _NOTHING
        return
    if parent is None:
        parent = current()
    started = _tracer().start_span(name, context=_context(parent), kind=_kind(kind), attributes=attributes)
    described = Described(started)
    try:
        with _current(started), structlog.contextvars.bound_contextvars(traceparent=_traceparent(started)):
            yield described
    except Exception as error:
        started.record_exception(error)
        described.fail(type(error).__name__)
        raise
    finally:
        started.end()


def record(name: str, *, kind: Kind, parent: str, since: int, **attributes: Attribute) -> None:
    """A span from `since` (nanoseconds, as of `time.time_ns()`) to now, for work that was done for many traces at
    once."""
    if is_on() and parent:
        context = _context(parent)
        _tracer().start_span(name, context=context, kind=_kind(kind), attributes=attributes, start_time=since).end()


def now() -> int:
    """The current time for `record(since=…)`."""
    return time.time_ns()


def flush() -> None:
    """Sends the remaining spans, for two seconds at most; for processes that end."""
    if _provider.cache_info().currsize:
        thread = threading.Thread(target=_provider().force_flush, daemon=True)
        thread.start()
        thread.join(_FLUSH_SECONDS)


def instrument() -> None:
    """Makes Celery, Redis and the MySQL driver create spans inside the product's own. Once per process."""
    if not is_on():
        return
    from opentelemetry.instrumentation.celery import CeleryInstrumentor
    from opentelemetry.instrumentation.dbapi import wrap_connect
    from opentelemetry.instrumentation.redis import RedisInstrumentor

    CeleryInstrumentor().instrument()  # type: ignore[no-untyped-call]
    RedisInstrumentor().instrument()
    if find_spec("MySQLdb"):
        driver: Any = import_module("MySQLdb")  # the library's annotation asks for a function, its text for the module
        wrap_connect(__name__, driver, "connect", "mysql", {"database": "db", "host": "host"})


def _current(started: Any) -> Any:
    """Makes a span the parent of the instrumentations' spans."""
    from opentelemetry.trace import use_span

    return use_span(started, record_exception=False, set_status_on_exception=False)


def _tracer() -> Any:
    return _provider().get_tracer("socialapp")


@cache
def _provider() -> Any:
    """Created at the first span, so that no thread runs before a process has forked."""
    from django.conf import settings
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
    from opentelemetry.trace import set_tracer_provider

    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME") or settings.SERVICE_NAME})
    exporter = OTLPSpanExporter(timeout=_EXPORT_SECONDS)
    processor = BatchSpanProcessor(exporter, schedule_delay_millis=_DELAY_MILLISECONDS)
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(processor)
    # Spans of libraries are only created inside one of ours: a process that waits for messages polls Redis all the
    # time.
    libraries = TracerProvider(resource=resource, sampler=ParentBased(root=ALWAYS_OFF))
    libraries.add_span_processor(processor)
    set_tracer_provider(libraries)
    if multiprocessing.parent_process() is not None:
        # A worker of the web role: it exits without running atexit handlers.
        multiprocessing.util.Finalize(None, flush, exitpriority=10)
    return provider


def _context(traceparent: str) -> Any:
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": traceparent}, context=Context())


def _kind(kind: Kind) -> Any:
    from opentelemetry.trace import SpanKind

    return SpanKind[kind.value]


def _traceparent(started: Any) -> str:
    context = started.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"
