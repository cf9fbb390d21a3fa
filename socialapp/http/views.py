"""The view class of the API: authenticates, admits, parses, and turns every error into a problem."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from socialapp.core.cache import Command
from socialapp.core.errors import Unauthenticated
from socialapp.core.json import to_json
from socialapp.core.principal import Principal
from socialapp.http import etags
from socialapp.http.admission import Limit, admit, client_address, with_present_roles
from socialapp.http.fast_path import HotRequest
from socialapp.http.fields import Input
from socialapp.http.parsing import nested_too_deeply
from socialapp.http.permissions import Public, PublicRead


class View(APIView):
    """The base of every view.

    `rate` is the limit that its requests count against; `has_etag`: it shows one object with an ETag;
    `has_idempotency_key`: its POST can be repeated through `create_once`; `is_personal`: caches must not store its
    responses, which contain a token or personal data; `hot_methods` are frequent enough for `fast_path`.
    `location` is the path of the object that its POST creates, filled in from the response; `new_version`
    is the version of a new object, if it has an ETag.
    """

    rate: str | None = None
    has_etag = False
    has_idempotency_key = False
    is_personal = False
    hot_methods: tuple[str, ...] = ()
    location = ""
    new_version: int | None = None

    @property
    def allowed_methods(self) -> list[str]:
        """The methods that the route has."""
        return _methods_of(cast(Any, type(self)))

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """DRF's request around Django's, unless it is one already."""
        if isinstance(request, HotRequest):
            return cast(Request, request)
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticates, checks limits and revocation in one round trip, then permissions."""
        self.perform_authentication(request)
        principal = cast(Principal | None, request.user)
        admission = admit(
            principal=principal,
            address=client_address(request),
            rate=self.rate or ("read" if request.method in ("GET", "HEAD", "OPTIONS") else "write"),
            subject=self.limit_subject(request),
            ahead=self.commands_ahead(principal) if request.method == "GET" else (),
        )
        self.answers_ahead = admission.answers
        self.limits = admission.limits
        if principal is not None and admission.has_stale_roles:
            request.user = with_present_roles(principal)  # type: ignore[assignment]
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed(str(request.method))  # before 401: a token would not help
        if request.method != "OPTIONS":
            self.check_permissions(request)

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        """204 with the methods in `Allow`, for anybody; the schema describes them."""
        return Response(status=204)

    def limit_subject(self, request: Request) -> str:
        """A further subject of the limit, such as the account of a log-in."""
        return ""

    def commands_ahead(self, principal: Principal | None) -> Sequence[Command]:
        """Redis commands for a GET, sent together with the admission; their answers are in `answers_ahead`, if any."""
        return ()

    def finalize_response(self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any) -> Response:
        """Adds the headers for caching, for created objects, and for limits."""
        answer = super().finalize_response(request, cast(Response, response), *args, **kwargs)
        _set_caching(answer, self)
        if self.location and answer.status_code == 201:
            _set_location(answer, self)
        limits: list[Limit] = getattr(self, "limits", [])
        if limits and "RateLimit" not in answer.headers:
            answer["RateLimit"] = ", ".join(limit.state() for limit in limits)
            answer["RateLimit-Policy"] = ", ".join(limit.policy() for limit in limits)
        return answer

    @property
    def principal(self) -> Principal:
        """The caller; 401 without a token."""
        if self.request.user is None:
            raise Unauthenticated("this needs an access token")
        return cast(Principal, self.request.user)

    @property
    def viewer(self) -> int | None:
        """The caller's id, or None when anonymous."""
        return self.request.user.id if self.request.user else None

    def read_input(self, serializer: type[Input]) -> dict[str, Any]:
        """The validated body; 400 if it is not JSON, 422 if a field is invalid."""
        parsed = serializer(data=self.request.data)
        try:
            parsed.is_valid(raise_exception=True)
        except RecursionError:  # in the last depths that the parser reaches
            raise nested_too_deeply() from None
        return cast(dict[str, Any], parsed.validated_data)


@cache
def _methods_of(view: Any) -> list[str]:
    found = [method for method in view.http_method_names if hasattr(view, "get" if method == "head" else method)]
    return [method.upper() for method in found]


def _set_caching(answer: Response, view: View) -> None:
    """Sets who may cache the response: nobody if it is secret, otherwise only the caller; all of them vary by the
    token.

    Secret are responses of routes with only the caller's own data, and all responses to writes.
    Source: RFC 9111, section 5.2.2.
    """
    patch_vary_headers(answer, ["Authorization"])
    if "Cache-Control" in answer.headers:
        return
    is_public = any(isinstance(permission, (Public, PublicRead)) for permission in view.get_permissions())
    is_read = view.request.method in ("GET", "HEAD") and answer.status_code < 400
    if not is_read or view.is_personal or not (is_public or view.has_etag):
        answer["Cache-Control"] = "no-store"
    elif view.request.META.get("HTTP_AUTHORIZATION"):
        answer["Cache-Control"] = "private, no-cache"
    else:
        answer["Cache-Control"] = "no-cache"


def _set_location(answer: Response, view: View) -> None:
    """Sets the location of a created object, and its ETag. Source: RFC 9110, section 15.3.2."""
    content = answer.data if isinstance(answer.data, bytes) else to_json(answer.data)
    answer["Location"] = view.location.format_map(json.loads(content))
    if view.new_version is not None:
        answer["ETag"] = etags.tag_of(content, version=view.new_version)
