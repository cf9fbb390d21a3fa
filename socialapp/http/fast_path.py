"""A fast path for the most frequent requests: to the same views, bypassing Django's handler and middleware.

Views opt in by `hot_methods`. Such requests with a token, from no other origin than ours, go straight to the view, with
our own middleware around it: GETs without a body, and others with JSON of a bounded size. The headers added by other
middleware depend only on how the server was addressed, and are obtained once per such address. Everything else goes
through Django (docs/adr/0030-fast-path.md).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from io import BytesIO
from typing import IO, Any, cast

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import ResolverMatch, URLPattern, get_resolver
from django.utils.cache import patch_vary_headers
from django.utils.log import log_response
from django.utils.module_loading import import_string

from socialapp.core.db import close_old_opened
from socialapp.core.principal import Principal
from socialapp.http.authentication import BearerAuthentication
from socialapp.http.parsing import JSONParser, plain_content_type, plain_cookies
from socialapp.http.rendering import JSONRenderer

Handler = Callable[[HttpRequest], HttpResponse]

_OURS = ("socialapp.http.middleware.RequestContextMiddleware", "socialapp.core.replicas.ReplicaReads")
# How the server was addressed: all that Django's middleware reads in a request without cookies.
_ADDRESS = ("HTTP_HOST", "HTTP_ORIGIN", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_PROTO",
            "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme")  # fmt: skip
_PREFIX = "/v1/"


class HotRequest(WSGIRequest):
    """Django's request with the attributes of DRF's that views use, so that they need no wrapper."""

    authenticators = (BearerAuthentication(),)
    accepted_renderer = JSONRenderer()
    accepted_media_type = JSONRenderer.media_type

    @property
    def query_params(self) -> QueryDict:
        """The parameters of the URL."""
        return self.GET

    @cached_property
    def user(self) -> Principal | None:  # type: ignore[override]
        """The caller; raises as authentication does."""
        found = self.authenticators[0].authenticate(self)  # type: ignore[arg-type]
        return found[0] if found else None

    @cached_property
    def data(self) -> dict[str, Any]:
        """The object in the body."""
        return JSONParser().parse(cast(IO[Any], self))

    @property
    def successful_authenticator(self) -> BearerAuthentication | None:
        """The authenticator of the caller."""
        return self.authenticators[0] if self.user else None


class FastPath:
    """Answers hot requests. Settings and routes are read once, at the first request."""

    def __init__(self) -> None:
        self._outer_headers = lru_cache(maxsize=64)(_outer_headers)

    def answer(self, environ: dict[str, Any]) -> tuple[HttpResponse, Mapping[str, str]] | None:
        """The response to a hot request, and additional headers; None for anything else."""
        routes = self._routes.get(environ["REQUEST_METHOD"])
        if routes is None or not self._may_be_hot(environ):
            return None
        match = routes.match(environ["PATH_INFO"])
        if match is None:
            return None
        outer = self._outer_headers(*map(environ.get, _ADDRESS))
        if outer is None:
            return None
        request = HotRequest(environ)
        request.resolver_match = match
        response = self._handler(request)
        request.read()  # what is left of a rejected body: a gateway that cannot send all of it drops the response
        patch_vary_headers(response, outer.varying_by)
        if response.status_code >= 400:
            log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request)
        return response, outer.headers

    def _may_be_hot(self, environ: Mapping[str, Any]) -> bool:
        return (
            "HTTP_AUTHORIZATION" in environ
            and environ.get("HTTP_ORIGIN") in self._origins
            and "HTTP_TRANSFER_ENCODING" not in environ
            and not environ.get("SCRIPT_NAME")
            and self._has_expected_body(environ)
        )

    def _has_expected_body(self, environ: Mapping[str, Any]) -> bool:
        length = environ.get("CONTENT_LENGTH") or "0"
        if environ["REQUEST_METHOD"] == "GET":
            return bool(length == "0")
        is_json = environ.get("CONTENT_TYPE") == JSONParser.media_type and "HTTP_CONTENT_ENCODING" not in environ
        return is_json and length.isdecimal() and 0 < int(length) <= self._longest_body

    @cached_property
    def _origins(self) -> frozenset[str | None]:
        """Our own, and none."""
        return frozenset((None, *settings.CORS_ALLOWED_ORIGINS))

    @cached_property
    def _longest_body(self) -> int:
        return int(min(settings.MAX_BODY_BYTES, settings.BUFFERED_BODY_BYTES))

    @cached_property
    def _routes(self) -> dict[str, "_Routes"]:
        return {method: _hot_routes(method) for method in ("GET", "POST", "PUT")}

    @cached_property
    def _handler(self) -> Handler:
        """The view that a request's route names, within our own middleware."""
        return _within(_OURS, _show)


class WithFastPath:
    """The WSGI application in front of `ordinary`, which handles everything but hot requests."""

    def __init__(self, ordinary: Callable[..., Iterable[bytes]]) -> None:
        self._ordinary = ordinary
        self._fast_path = FastPath()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request."""
        if sent := environ.get("CONTENT_TYPE"):
            environ["CONTENT_TYPE"] = plain_content_type(sent)
        if sent := environ.get("HTTP_COOKIE"):
            environ["HTTP_COOKIE"] = plain_cookies(sent)
        found = self._fast_path.answer(environ)
        if found is None:
            return self._ordinary(environ, start_response)
        response, added = found
        close_old_opened()  # the only necessary clean-up after a request
        start_response(f"{response.status_code} {response.reason_phrase}", [*response.items(), *added.items()])
        return (response.content,)


@dataclass(frozen=True, slots=True)
class _Routes:
    """The hot routes: those without parameters by path, and others, whose parameters are ids."""

    fixed: dict[str, ResolverMatch]
    with_ids: list[URLPattern]

    def match(self, path: str) -> ResolverMatch | None:
        """The hot route of a path."""
        if (found := self.fixed.get(path)) or not path.startswith(_PREFIX):
            return found
        return next((match for pattern in self.with_ids if (match := _resolved(pattern, path))), None)


def _hot_routes(method: str) -> _Routes:
    patterns = [pattern for table in get_resolver().url_patterns for pattern in getattr(table, "url_patterns", ())]
    hot = [pattern for pattern in patterns if method in _hot_methods(pattern)]
    fixed = {}
    for pattern in hot:
        path = f"{_PREFIX}{pattern.pattern}"
        if match := _resolved(pattern, path):
            fixed[path] = match
    return _Routes(fixed, [pattern for pattern in hot if f"{_PREFIX}{pattern.pattern}" not in fixed])


def _hot_methods(pattern: URLPattern) -> tuple[str, ...]:
    methods: tuple[str, ...] = getattr(getattr(pattern.callback, "cls", None), "hot_methods", ())
    return methods


def _resolved(pattern: URLPattern, path: str) -> ResolverMatch | None:
    match = pattern.resolve(path.removeprefix(_PREFIX))
    if match:
        match.route = f"{_PREFIX}{match.route}".lstrip("/")
    return match


def _show(request: HttpRequest) -> HttpResponse:
    view, _, parameters = cast(ResolverMatch, request.resolver_match)
    response = view(request, **parameters)
    return response.render()  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class _Outer:
    """The headers that Django's and other middleware adds to a response."""

    headers: Mapping[str, str]
    varying_by: list[str]


def _outer_headers(*address: str | None) -> _Outer | None:
    """The headers for a server addressed like this; None if the request must not reach the view.

    For example, a wrong host, or HTTP where HTTPS is required.
    """
    environ = {
        **{name: value for name, value in zip(_ADDRESS, address, strict=True) if value is not None},
        "REQUEST_METHOD": "GET",
        "PATH_INFO": _PREFIX,
        "wsgi.input": BytesIO(),
    }
    let_on = HttpResponse(content_type=JSONRenderer.media_type)
    others = [path for path in settings.MIDDLEWARE if path not in _OURS]
    response = _within(others, lambda _: let_on)(WSGIRequest(environ))
    if response is not let_on:
        return None
    own = {"Content-Type", "Content-Length", "Vary"}
    varying_by = [name.strip() for name in response.headers.get("Vary", "").split(",") if name.strip()]
    return _Outer({name: value for name, value in response.items() if name not in own}, varying_by)


def _within(middleware: Iterable[str], handler: Handler) -> Handler:
    """The handler with middleware around it, the first outermost, as Django puts it together."""
    handler = _catching(handler)
    for path in reversed([*middleware]):
        try:
            handler = _catching(import_string(path)(handler))
        except MiddlewareNotUsed:
            continue
    return handler


def _catching(handler: Handler) -> Handler:
    return cast(Handler, convert_exception_to_response(handler))
