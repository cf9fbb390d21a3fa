"""Middleware for the admin site. It is skipped for API requests, which carry no cookies, to save time."""

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
    """Wraps one of Django's middleware, and skips it for the API."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        """The response, through Django's middleware or not."""
        if request.path_info.startswith(_API_PATHS):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class SiteSessionMiddleware(_OnSite, SessionMiddleware):
    """Sessions."""


class SiteCsrfMiddleware(_OnSite, CsrfViewMiddleware):
    """CSRF protection."""

    def process_view(
        self, request: HttpRequest, callback: Callable[..., HttpResponseBase], callback_args: Any, callback_kwargs: Any
    ) -> HttpResponseForbidden | None:
        """Skipped for the API here too: its views ignore cookies."""
        if request.path_info.startswith(_API_PATHS):
            return None
        return super().process_view(request, callback, callback_args, callback_kwargs)


class SiteAuthenticationMiddleware(_OnSite, AuthenticationMiddleware):
    """The signed-in user."""


class SiteMessageMiddleware(_OnSite, MessageMiddleware):
    """Flash messages."""
