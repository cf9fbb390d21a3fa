"""The HTTP side of calls between contexts: `/internal/<context>/<Contract>/<method>`, with a service token."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jwt
import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from socialapp.contracts.registry import CONTRACTS
from socialapp.core.errors import Malformed, NotFound, Problem, Unauthenticated
from socialapp.core.json import to_json
from socialapp.http.problems import problem_response
from socialapp.rpc.calls import (
    CALL_REFUSED,
    REQUEST_TIMEOUT,
    argument_types,
    deadline,
    implementation_of,
    verify_service_token,
)

_METHODS: dict[str | None, tuple[str, ...]] = {"read": ("GET", "POST"), "write": ("POST",)}


@csrf_exempt
def internal_call(request: HttpRequest, *, context: str, contract: str, method: str) -> HttpResponse:
    """Handles one call from another context. Never reachable through the gateway."""
    try:
        _authenticate(request, context)
        call = _find(request, context, contract, method)
    except Problem as problem:
        refusal = problem_response(problem)
        refusal[CALL_REFUSED] = "yes"
        return refusal
    try:
        with deadline(_seconds(request)):
            answer = call()
    except Problem as problem:
        return problem_response(problem)
    return HttpResponse(_encode(answer), content_type="application/json")


def _encode(answer: Any) -> bytes:
    """Encodes data classes exactly; API objects as in the API, with less precise times."""
    if isinstance(answer, list) and answer and isinstance(answer[0], dict):
        return to_json(answer)
    return msgspec.json.encode(answer)


def _seconds(request: HttpRequest) -> float | None:
    """How long the caller waits, if stated."""
    try:
        return float(request.headers.get(REQUEST_TIMEOUT, ""))
    except ValueError:
        return None


def _authenticate(request: HttpRequest, context: str) -> None:
    token = request.META.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
    try:
        verify_service_token(token, audience=context)
    except jwt.InvalidTokenError:
        raise Unauthenticated("a service token for this context is needed", code="token_invalid") from None


def _find(request: HttpRequest, context: str, contract: str, method: str) -> Callable[[], Any]:
    """The call that the path and the arguments name, ready to be made."""
    declared = CONTRACTS.get(contract)
    function = getattr(declared, method, None)
    kind = getattr(function, "__call_kind__", None)
    if declared is None or request.method not in _METHODS.get(kind, ()):
        raise NotFound("there is no such call")
    try:
        implementation = implementation_of(context, contract_name=contract)
    except LookupError:
        raise NotFound("this process does not serve that context") from None
    return partial(getattr(implementation, method), **_arguments(request, declared, method))


def _arguments(request: HttpRequest, contract: type, method: str) -> dict[str, Any]:
    types = argument_types(contract, method=method)
    try:
        if request.method == "GET":
            sent = request.GET.dict()
            return {name: msgspec.json.decode(str(value), type=types[name]) for name, value in sent.items()}
        # read() and not .body: the limit of what clients may send is not meant for these
        raw = msgspec.json.decode(request.read(), type=dict[str, msgspec.Raw])
        return {name: msgspec.json.decode(value, type=types[name]) for name, value in raw.items()}
    except (msgspec.DecodeError, KeyError, UnicodeError):
        raise Malformed("the arguments do not fit the contract") from None
