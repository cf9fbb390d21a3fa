"""Middleware: request ids, one log line per request, body limits, and paths with or without a trailing slash."""

import re
import secrets
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from socialapp.http.problems import too_large
from socialapp.telemetry import traces
from socialapp.telemetry.metrics import count_request, route_of

Handler = Callable[[HttpRequest], HttpResponse]

log = structlog.get_logger("socialapp.request")
_MAX_CALL_BYTES = 64 * 2**20  # a batch of bulk records with the longest lines
_UPLOADS = "/v1/media"
_SLASH_OR_NOT = ("/v1/", "/health/", "/.well-known/")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class RequestContextMiddleware:
    """Binds the request id and trace to logs, events and calls, returns the id, and logs the request."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        correlation = correlation_of(
            request.META.get("HTTP_X_REQUEST_ID", ""), traceparent=request.META.get("HTTP_TRACEPARENT", "")
        )
        request_id, traceparent = correlation["request_id"], correlation["traceparent"]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(**correlation)
        if request.path_info.startswith(_SLASH_OR_NOT):
            request.path_info = request.path_info.rstrip("/")
        with traces.span(
            str(request.method), kind=traces.Kind.SERVER, parent=traceparent, request_id=request_id
        ) as span:
            response = self.get_response(request)
            _describe(span, request, response)
            response["X-Request-ID"] = request_id
            seconds = time.perf_counter() - started
            count_request(request, response=response, seconds=seconds)
            log.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                milliseconds=round(seconds * 1000, 1),
            )
        return response


def correlation_of(request_id: str, *, traceparent: str) -> dict[str, str]:
    """The ids sent by the caller, to be bound to logs, events and calls; new ones if they are missing or malformed.

    No new trace if tracing is on, which starts its own. Source: W3C Trace Context.
    """
    if not _REQUEST_ID.fullmatch(request_id):
        request_id = secrets.token_hex(16)
    if not _TRACEPARENT.fullmatch(traceparent):
        traceparent = "" if traces.is_on() else f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
    return {"request_id": request_id, "traceparent": traceparent}


def _describe(span: traces.Described, request: HttpRequest, response: HttpResponse) -> None:
    """Attributes by OpenTelemetry's conventions for HTTP."""
    if not traces.is_on():
        return
    route, status = route_of(request), response.status_code
    attributes: dict[str, traces.Attribute] = {
        "http.request.method": str(request.method),
        "http.route": route,
        "url.path": request.path,
        "http.response.status_code": status,
    }
    span.describe(f"{request.method} {route}", **attributes)
    if status >= 500:
        span.fail(f"answered {status}")


class BodyLimitMiddleware:
    """413 for bodies over `MAX_BODY_BYTES`, before anything reads them; calls between contexts may be larger."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        path = request.path_info
        most = settings.MEDIA_MAX_UPLOAD_BYTES if path.startswith(_UPLOADS) else settings.MAX_BODY_BYTES
        if (length > most and path.startswith("/v1/")) or (length > _MAX_CALL_BYTES and path.startswith("/internal/")):
            return too_large()
        return self.get_response(request)
