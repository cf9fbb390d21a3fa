"""The HTTP side of calls between contexts: `/internal/<context>/<Contract>/<method>`, with a service token."""

from typing import Any

import jwt
import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from socialapp.api.problems import problem_response
from socialapp.calls import argument_types, implementation_of, verify_service_token
from socialapp.contracts.registry import CONTRACTS
from socialapp.errors import Malformed, NotFound, Problem, Unauthenticated


@csrf_exempt
def internal_call(request: HttpRequest, context: str, contract: str, method: str) -> HttpResponse:
    """Answers one call from another context. Never reachable through the gateway."""
    try:
        _authenticate(request, context)
        answer = _call(request, context, contract, method)
    except Problem as problem:
        return problem_response(problem)
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")


def _authenticate(request: HttpRequest, context: str) -> None:
    token = request.META.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
    try:
        verify_service_token(token, audience=context)
    except jwt.InvalidTokenError:
        raise Unauthenticated("a service token for this context is needed", code="token_invalid") from None


def _call(request: HttpRequest, context: str, contract: str, method: str) -> Any:
    declared = CONTRACTS.get(contract)
    function = getattr(declared, method, None)
    kind = getattr(function, "__call_kind__", None)
    if declared is None or kind is None or request.method != ("GET" if kind == "read" else "POST"):
        raise NotFound("there is no such call")
    try:
        implementation = implementation_of(context, contract)
    except LookupError:
        raise NotFound("this process does not serve that context") from None
    arguments = _arguments(request, declared, method)
    return getattr(implementation, method)(**arguments)


def _arguments(request: HttpRequest, contract: type, method: str) -> dict[str, Any]:
    types = argument_types(contract, method)
    try:
        if request.method == "GET":
            sent = request.GET.dict()
            return {name: msgspec.json.decode(str(value), type=types[name]) for name, value in sent.items()}
        raw = msgspec.json.decode(request.body, type=dict[str, msgspec.Raw])
        return {name: msgspec.json.decode(value, type=types[name]) for name, value in raw.items()}
    except (msgspec.DecodeError, KeyError, UnicodeError):
        raise Malformed("the arguments do not fit the contract") from None
