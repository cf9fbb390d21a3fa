"""Typed calls between contexts: in process when the other is served here, over HTTP when it is served elsewhere.

`client(Users).profiles(ids=[1])` gives the same data classes and raises the same problems either way. A call
must not be made inside an open transaction: it would hold locks for as long as the other side takes.
"""

import inspect
import os
import threading
import time
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any, TypeVar, cast, get_type_hints

import httpx
import jwt
import msgspec
import pybreaker
import structlog
from django.conf import settings

from socialapp.contexts import serves
from socialapp.db import open_transactions
from socialapp.errors import PROBLEMS, FieldError, Problem, Unavailable

Contract = TypeVar("Contract")

_implementations: dict[tuple[str, str], object] = {}
_READ_ATTEMPTS = 3
_TOKEN_SECONDS = 60


class CallInTransaction(RuntimeError):
    """A context was called while the caller held a transaction open: gather first, then write."""


def serve(contract: type[Contract], implementation: Contract, *, context: str | None = None) -> None:
    """Makes `implementation` answer calls to `contract`; called once, when the context's app is ready."""
    _implementations[(context or context_of(contract), contract.__name__)] = implementation


def client(contract: type[Contract], *, context: str | None = None) -> Contract:
    """The way to call `contract`; `context` is needed only for contracts that every context serves."""
    return cast(Contract, _client(cast(type, contract), context or context_of(contract)))


def context_of(contract: type) -> str:
    """The context that serves a contract, as declared with `@service`."""
    return str(contract.__service_context__)  # type: ignore[attr-defined]


def implementation_of(context: str, contract_name: str) -> object:
    """What answers here; LookupError when this process does not serve it."""
    return _implementations[(context, contract_name)]


@cache
def _client(contract: type, context: str) -> object:
    methods = {name: method for name, method in vars(contract).items() if hasattr(method, "__call_kind__")}
    make = _local_method if serves(context) else _remote_method
    body = {name: staticmethod(make(contract, context, method)) for name, method in methods.items()}
    return type(f"{contract.__name__}Client", (), body)()


def _forbid_open_transaction(context: str, method: str) -> None:
    if held := open_transactions():
        raise CallInTransaction(f"{context}.{method} was called inside a transaction on {', '.join(held)}")


def _local_method(contract: type, context: str, method: FunctionType) -> Callable[..., Any]:
    name = method.__name__

    def call(**arguments: Any) -> Any:
        _forbid_open_transaction(context, name)
        return getattr(implementation_of(context, contract.__name__), name)(**arguments)

    return call


def _remote_method(contract: type, context: str, method: FunctionType) -> Callable[..., Any]:
    returns = get_type_hints(method)["return"]
    is_read = method.__call_kind__ == "read"  # type: ignore[attr-defined]
    path = f"/internal/{context}/{contract.__name__}/{method.__name__}"

    def call(**arguments: Any) -> Any:
        _forbid_open_transaction(context, method.__name__)
        answer = _send(context, path, arguments, is_read=is_read)
        return msgspec.json.decode(answer, type=returns)

    return call


@cache
def _breaker(context: str) -> pybreaker.CircuitBreaker:
    return pybreaker.CircuitBreaker(fail_max=5, reset_timeout=2, name=context)


_http: dict[int, httpx.Client] = {}
_http_lock = threading.Lock()


def _http_client() -> httpx.Client:
    with _http_lock:
        return _http.setdefault(os.getpid(), httpx.Client(timeout=settings.CALL_TIMEOUT))


def _send(context: str, path: str, arguments: dict[str, Any], *, is_read: bool) -> bytes:
    """One call over HTTP: a deadline, retries for reads, a circuit breaker, and problems raised as they were there."""
    deadline = time.monotonic() + settings.CALL_TIMEOUT
    attempts = _READ_ATTEMPTS if is_read else 1
    last: Exception | None = None
    for attempt in range(attempts):
        if attempt and time.monotonic() > deadline:
            break
        try:
            answer = _breaker(context).call(_send_once, context, path, arguments, is_read=is_read)
            if isinstance(answer, Problem):
                raise answer
            return answer
        except pybreaker.CircuitBreakerError as error:
            last = error
            break
        except (httpx.HTTPError, _ServerFault) as error:
            last = error
            time.sleep(0.05 * 2**attempt)
    raise Unavailable(f"{context} does not answer", code=f"{context}_unavailable") from last


class _ServerFault(Exception):
    """The other side answered with a fault of its own."""


def _send_once(context: str, path: str, arguments: dict[str, Any], *, is_read: bool) -> bytes | Problem:
    url = settings.SERVICE_URLS[context].rstrip("/") + path
    headers = {"Authorization": f"Bearer {service_token(context)}", **_correlation_headers()}
    if is_read:
        query = {name: msgspec.json.encode(value).decode() for name, value in arguments.items()}
        response = _http_client().get(url, params=query, headers=headers)
    else:
        response = _http_client().post(url, content=msgspec.json.encode(arguments), headers=headers)
    if response.status_code >= 500:
        raise _ServerFault(f"{response.status_code} from {url}")
    if response.status_code >= 400:
        return _problem_from(response)
    return response.content


def _correlation_headers() -> dict[str, str]:
    bound = structlog.contextvars.get_contextvars()
    names = {"request_id": "X-Request-ID", "traceparent": "traceparent"}
    return {header: str(bound[key]) for key, header in names.items() if key in bound}


def _problem_from(response: httpx.Response) -> Problem:
    body = response.json()
    kind = PROBLEMS.get(response.status_code, Problem)
    return kind(body["detail"], code=body["code"], errors=[FieldError(**error) for error in body.get("errors", [])])


def service_token(audience: str) -> str:
    """A token for one call to `audience`: signed with `SERVICE_SECRET`, good for a minute."""
    now = int(time.time())
    claims = {"iss": settings.SERVICE_NAME, "aud": f"internal:{audience}", "iat": now, "exp": now + _TOKEN_SECONDS}
    return jwt.encode(claims, settings.SERVICE_SECRET, algorithm="HS256")


def verify_service_token(token: str, *, audience: str) -> str:
    """The caller that a service token names; raises `jwt.InvalidTokenError` when it does not hold."""
    claims = jwt.decode(
        token,
        settings.SERVICE_SECRET,
        algorithms=["HS256"],
        audience=f"internal:{audience}",
        options={"require": ["iss", "aud", "exp", "iat"]},
    )
    return str(claims["iss"])


def argument_types(contract: type, method: str) -> dict[str, Any]:
    """The declared argument types of a contract's method, for decoding what came over HTTP."""
    function = getattr(contract, method)
    hints = get_type_hints(function)
    return {name: hints[name] for name in inspect.signature(function).parameters if name != "self"}
