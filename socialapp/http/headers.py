"""Security headers of every response, and the host names that this server accepts."""

from collections.abc import Callable

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from socialapp.http.problems import bad_request

# Nothing may be loaded by, or frame, a response that is not a page. Source: OWASP REST Security Cheat Sheet.
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
PERMISSIONS_POLICY = (
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), midi=(), "
    "payment=(), usb=()"
)
# Probes and internal calls use addresses of their own; the gateway keeps everybody else from these paths.
_INSIDE = ("/internal/", "/health/", "/metrics")


class HostMiddleware:
    """400 for a `Host` that is not in `ALLOWED_HOSTS`, on every path that clients reach."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(_INSIDE):
            try:
                request.get_host()
            except DisallowedHost as error:
                return bad_request(request, error)
        return self.get_response(request)


class BrowserPolicyMiddleware(CSPMiddleware):
    """Content Security Policy: `CONTENT_SECURITY_POLICY` for pages, nothing at all for data; and Permissions-Policy.

    A view that sets its own policy keeps it. Scripts and styles in templates carry `nonce="{{ csp_nonce }}"`.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The answer with both headers."""
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault(HEADER, DATA_POLICY)
            return response
        return super().process_response(request, response)
