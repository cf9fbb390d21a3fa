"""The middleware that the admin site needs. The API's requests, which bring no cookies, pass it by: it costs time."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseForbidden
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware

_API_PATHS = ("/v1/", "/internal/", "/health/", "/metrics", "/.well-known/")


class _OnSite:
    """Comes before one of Django's own, and leaves it out for the API."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        """The answer, by way of Django's middleware or past it."""
        if request.path_info.startswith(_API_PATHS):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class SiteSessionMiddleware(_OnSite, SessionMiddleware):
    """Sessions."""


class SiteCsrfMiddleware(_OnSite, CsrfViewMiddleware):
    """Forms from elsewhere are refused."""

    def process_view(
        self, request: HttpRequest, callback: Callable[..., HttpResponseBase], callback_args: Any, callback_kwargs: Any
    ) -> HttpResponseForbidden | None:
        """The API is left out here too: its views take no cookies."""
        if request.path_info.startswith(_API_PATHS):
            return None
        return super().process_view(request, callback, callback_args, callback_kwargs)


class SiteAuthenticationMiddleware(_OnSite, AuthenticationMiddleware):
    """Who is signed in."""


class SiteMessageMiddleware(_OnSite, MessageMiddleware):
    """The message for the next page."""
