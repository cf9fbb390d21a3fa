"""A trace collector: accepts OTLP over HTTP and decodes it, as a real one does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """The spans received so far."""

    def __init__(self) -> None:
        self.url = ""
        self.services: set[str] = set()
        self._spans: list[Span] = []

    def take(self, body: bytes) -> None:
        """Adds the spans of one request."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.services |= {
                attribute.value.string_value
                for attribute in resource.resource.attributes
                if attribute.key == "service.name"
            }
            for scope in resource.scope_spans:
                self._spans.extend(scope.spans)

    def trace(self, trace_id: str) -> dict[str, Span]:
        """The spans of a trace by their ids."""
        return {span.span_id.hex(): span for span in list(self._spans) if span.trace_id.hex() == trace_id}

    def names(self, trace_id: str) -> set[str]:
        """The names of the spans of a trace."""
        return {span.name for span in self.trace(trace_id).values()}

    def named(self, name: str) -> list[Span]:
        """All spans of this name."""
        return [span for span in list(self._spans) if span.name == name]

    def mentions(self, text: str) -> bool:
        """Whether any span contains the text."""
        return any(text in str(span) for span in list(self._spans))


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on its own port."""
    collector = Collector()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            assert self.headers["Content-Type"] == "application/x-protobuf"
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.daemon_threads = True
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
