"""Lets front ends on other origins, those of `ALLOWED_ORIGINS`, call the API from browsers.

Tokens travel in a header that a page sets itself, so cookies (credentials) are never allowed along. Source: the CORS
protocol in the Fetch standard, https://fetch.spec.whatwg.org/#http-cors-protocol.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

_PATHS = ("/v1/", "/.well-known/")
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match,"
    " X-Request-ID, traceparent",
    "Access-Control-Max-Age": "7200",  # as long as any browser keeps it
}
_READABLE = "ETag, Idempotency-Replayed, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID"


class CrossOriginMiddleware:
    """Answers what browsers ask before a call, and lets the pages of allowed origins read what the API answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        origin = request.META.get("HTTP_ORIGIN")
        if origin is None or not request.path_info.startswith(_PATHS):
            return self.get_response(request)
        if request.method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.META:
            response = HttpResponse(status=204, headers=_PREFLIGHT)
        else:
            response = self.get_response(request)
            response["Access-Control-Expose-Headers"] = _READABLE
        if origin in settings.ALLOWED_ORIGINS:
            response["Access-Control-Allow-Origin"] = origin
        patch_vary_headers(response, ["Origin"])
        return response
