"""Turns every error into problem+json. Source: RFC 9457."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response

from socialapp.core.errors import (
    FieldError,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    Problem,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedType,
)
from socialapp.core.json import to_json
from socialapp.http.admission import LimitExceeded
from socialapp.http.rendering import ProblemRenderer

log = structlog.get_logger()

_CHALLENGE = 'Bearer realm="socialapp"'
_TOKEN_CODES = frozenset({"token_invalid", "token_expired", "token_revoked"})


def problem_body(problem: Problem) -> dict[str, Any]:
    """The members of the answer."""
    return {
        "type": f"urn:socialapp:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "errors": [{"field": error.field, "code": error.code, "detail": error.detail} for error in problem.errors],
        **problem.members,
    }


def problem_headers(problem: Problem) -> dict[str, str]:
    """The headers that belong to the answer."""
    headers = {}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = challenge(problem)
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if isinstance(problem, LimitExceeded):
        headers["RateLimit"] = ", ".join(limit.state() for limit in problem.limits)
        headers["RateLimit-Policy"] = ", ".join(limit.policy() for limit in problem.limits)
    return headers


def challenge(problem: Problem) -> str:
    """The challenge of a 401; includes the error if a token was sent and refused. Source: RFC 6750, section 3."""
    if problem.code in _TOKEN_CODES:
        return f'{_CHALLENGE}, error="invalid_token", error_description="{problem.detail}"'
    return _CHALLENGE


def problem_response(problem: Problem) -> HttpResponse:
    """A problem response outside of DRF: middleware, unknown paths."""
    return HttpResponse(
        to_json(problem_body(problem)),
        status=problem.status,
        content_type=ProblemRenderer.media_type,
        headers=problem_headers(problem),
    )


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler; None for a server error, which becomes 500 and is logged with its traceback."""
    problem = as_problem(error)
    if problem is None:
        return None
    request = context["request"]
    request.accepted_renderer = ProblemRenderer()
    request.accepted_media_type = ProblemRenderer.media_type
    response = Response(
        problem_body(problem),
        status=problem.status,
        headers=problem_headers(problem),
        content_type=ProblemRenderer.media_type,
    )
    response.exception = True
    return response


def as_problem(error: Exception) -> Problem | None:
    """The problem for an exception of Django or DRF, or None."""
    match error:
        case OperationalError() | InterfaceError():
            log.error("database_failed", exc_info=error)
            return Unavailable("the database does not answer; try again", code="database_unavailable", retry_after=1)
        case Problem():
            return error
        case DataError():
            # The input passed a field's own limits: refused without the database's message, which quotes rows.
            log.error("database_refused_value", exc_info=error)
            return Invalid("a value is not one that can be stored", code="value_refused")
        case exceptions.ValidationError():
            return Invalid("some fields are not valid", errors=list(_field_errors("", error.get_full_details())))
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return Unauthenticated("this needs an access token")
        case exceptions.PermissionDenied() | PermissionDenied():
            return Forbidden("you may not do this")
        case exceptions.NotFound() | Http404():
            return NotFound("there is no such object, or you may not see it")
        case exceptions.UnsupportedMediaType():
            return UnsupportedType("this route does not take a body of this type")
        case exceptions.ParseError() | SuspiciousOperation():
            return Malformed("the request cannot be read")
        case exceptions.MethodNotAllowed():
            return _method_not_allowed()
        case _:
            return None


def _field_errors(path: str, details: Any) -> list[FieldError]:
    if isinstance(details, dict) and "code" in details and "message" in details:
        return [FieldError(path or "non_field", str(details["code"]), str(details["message"]))]
    if isinstance(details, dict):
        return [
            found for name, inner in details.items() for found in _field_errors(f"{path}.{name}".lstrip("."), inner)
        ]
    return [found for inner in details for found in _field_errors(path, inner)]


def _method_not_allowed() -> Problem:
    problem = Problem("this method is not allowed here", code="method_not_allowed")
    problem.status, problem.title = 405, "Method not allowed"
    return problem


def reading_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view outside of DRF for GET and HEAD; handles OPTIONS, and refuses other methods with a problem."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        if request.method in ("GET", "HEAD"):
            return view(request, **arguments)
        refusal = HttpResponse(status=204) if request.method == "OPTIONS" else problem_response(_method_not_allowed())
        refusal["Allow"] = "GET, HEAD, OPTIONS"
        return refusal

    return answer


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The response for unknown paths."""
    return problem_response(NotFound("there is no such path"))


def server_error(request: HttpRequest) -> HttpResponse:
    """The response to a server error."""
    problem = Problem("something went wrong on our side; the request id finds it in the logs", code="internal")
    problem.status, problem.title = 500, "Internal server error"
    return problem_response(problem)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The response to requests that Django itself refuses."""
    return problem_response(Malformed("the request cannot be read"))


def too_large() -> HttpResponse:
    """The response to bodies over the limit."""
    return problem_response(TooLarge("the body is larger than this server accepts"))
