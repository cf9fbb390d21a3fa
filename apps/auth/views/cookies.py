"""Cookies of auth: the refresh token for pages that want it, the device token, and the browser mark.

All of them are HttpOnly, SameSite=Strict, and sent to /v1/auth only. Source: OWASP, Session Management.
"""

import secrets
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from apps.auth import actions, presenters, queries
from socialapp.core.errors import Forbidden, Invalid
from socialapp.http.admission import client_address

REFRESH_COOKIE = "refresh"
DEVICE_COOKIE = "device"
BROWSER_COOKIE = "oauth_browser"
DEVICE_HEADER = "Device-Token"  # for clients that keep no cookies: sent with answers to log-ins, and back with log-ins
_PATH = "/v1/auth"
_DAY = 86_400


def device_of(request: Request) -> actions.Device:
    """Where the request comes from."""
    token = request.COOKIES.get(DEVICE_COOKIE) or request.headers.get(DEVICE_HEADER, "")
    return actions.Device(
        user_agent=request.headers.get("User-Agent", ""), address=client_address(request), token=token[:500]
    )


def browser_of(request: Request) -> str:
    """The mark of this browser; empty if it has none."""
    return request.COOKIES.get(BROWSER_COOKIE, "")[:100]


def wants_cookie(request: Request, fields: dict[str, Any]) -> bool:
    """Whether to set the refresh token as a cookie; Forbidden for pages of other origins."""
    in_cookie = bool(fields.pop("cookie", False))
    if in_cookie:
        require_own_origin(request)
    return in_cookie


def logged_in_response(request: Request, logged_in: queries.LoggedIn, *, in_cookie: bool) -> Response:
    """The response to a log-in (201 if it created the account), with the refresh token in its body or in a cookie."""
    response = Response(presenters.logged_in_body(logged_in), status=201 if logged_in.is_new else 200)
    set_device_token(response, logged_in.device_token)
    if in_cookie:
        move_refresh_to_cookie(request, response)
    return response


def move_refresh_to_cookie(request: Request, response: Response) -> None:
    """Moves the refresh token from the body to a cookie; Forbidden for pages of other origins."""
    require_own_origin(request)
    body = _body(response)
    _set(response, REFRESH_COOKIE, body.pop("refresh"), days=settings.REFRESH_TOKEN_DAYS)
    response.data = body


def set_device_token(response: HttpResponse, token: str) -> None:
    """Sets the token by which the device is recognized later."""
    _set(response, DEVICE_COOKIE, token, days=actions.DEVICE_DAYS)
    response[DEVICE_HEADER] = token


def user_id_in(response: Response) -> int:
    """The account in the response to a log-in."""
    return int(_body(response)["user"]["id"])


def _body(response: Response) -> dict[str, Any]:
    """The body, which is rendered already if the request has an Idempotency-Key."""
    body: dict[str, Any] = orjson.loads(response.data) if isinstance(response.data, bytes) else dict(response.data)
    return body


def refresh_token_of(request: Request, sent: str | None) -> tuple[str, bool]:
    """The refresh token of the body or the cookie, and whether it came from the cookie."""
    if sent is not None:
        return sent, False
    token = request.COOKIES.get(REFRESH_COOKIE, "")
    if not token:
        raise Invalid.of("refresh", "required", "A refresh token is needed.")
    require_own_origin(request)
    return token, True


def require_own_origin(request: Request) -> None:
    """Forbidden for cross-site requests: they cannot read the response, but carry the cookie."""
    origin = request.headers.get("Origin")
    is_foreign = origin is not None and origin not in settings.ALLOWED_ORIGINS
    if is_foreign or request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise Forbidden("cookies are for this site's own pages", code="origin_not_allowed")


def new_browser_mark(request: Request) -> str:
    """The mark of this browser, a new one if it has none."""
    return browser_of(request) or secrets.token_urlsafe(24)


def set_browser_mark(response: Response, mark: str) -> None:
    """Sets the mark as a cookie."""
    _set(response, BROWSER_COOKIE, mark, days=1)


def forget_refresh(response: Response) -> None:
    """Deletes the cookie of the refresh token."""
    response.delete_cookie(REFRESH_COOKIE, path=_PATH, samesite="Strict")


def _set(response: HttpResponse, name: str, value: str, *, days: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=days * _DAY,
        path=_PATH,
        httponly=True,
        samesite="Strict",
        secure=settings.PUBLIC_URL.startswith("https://"),
    )
