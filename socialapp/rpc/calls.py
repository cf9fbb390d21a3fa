"""Typed calls between contexts: in process if the other is served here, over HTTP if it is served elsewhere.

`client(Users).profiles(ids=[1])` returns the same data classes and raises the same problems either way. Do not call
inside an open transaction: it would hold locks until the other side has answered.
"""

import inspect
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_type_hints

import jwt
import msgspec
import structlog
from django.conf import settings

from socialapp.core.breaker import Breaker
from socialapp.core.contexts import serves
from socialapp.core.db import open_transactions
from socialapp.core.errors import PROBLEMS, FieldError, Problem, Unavailable
from socialapp.core.replicas import lag_headers
from socialapp.telemetry import metrics, traces

if TYPE_CHECKING:  # imported at the first call to a context that is served elsewhere
    import httpx

Contract = TypeVar("Contract")

_answer_by: ContextVar[float | None] = ContextVar("answer_by", default=None)
_implementations: dict[tuple[str, str], object] = {}
log = structlog.get_logger()

# How many seconds the caller will wait for this response; calls made to answer it must take less.
REQUEST_TIMEOUT = "X-Request-Timeout"
_PASSED_ON = 0.75  # of the seconds left, so that a failure further down is reported before the caller gives up
# A header of responses that come from the call machinery, not the implementation: a bad service token, an unknown
# method.
CALL_REFUSED = "X-Call-Refused"
OPEN_SECONDS = 2
_FAULTS_TO_OPEN = 5
_READ_ATTEMPTS = 3
_TOKEN_SECONDS = 60
_LONGEST_QUERY = 4000  # characters; servers and proxies do not reliably accept longer ones


class CallInTransaction(RuntimeError):
    """A context was called while the caller held an open transaction: gather first, then write."""


def serve(contract: type[Contract], *, implementation: Contract, context: str | None = None) -> None:
    """Registers `implementation` for calls to `contract`; called once, when the context's app is ready."""
    _implementations[(context or context_of(contract), contract.__name__)] = implementation


def client(contract: type[Contract], *, context: str | None = None) -> Contract:
    """A client of `contract`; `context` is needed only for contracts that every context serves."""
    return cast(Contract, _client(cast(type, contract), context or context_of(contract)))


def context_of(contract: type) -> str:
    """The context that serves a contract, as declared with `@service`."""
    return str(contract.__service_context__)  # type: ignore[attr-defined]


def implementation_of(context: str, *, contract_name: str) -> object:
    """The implementation registered here; LookupError if this process does not serve it."""
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
        return getattr(implementation_of(context, contract_name=contract.__name__), name)(**arguments)

    return call


def _remote_method(contract: type, context: str, method: FunctionType) -> Callable[..., Any]:
    returns = get_type_hints(method)["return"]
    is_read = method.__call_kind__ == "read"  # type: ignore[attr-defined]
    path = f"/internal/{context}/{contract.__name__}/{method.__name__}"
    own_seconds: float | None = getattr(method, "__call_seconds__", None)

    def call(**arguments: Any) -> Any:
        _forbid_open_transaction(context, method.__name__)
        seconds = _at_most(own_seconds or settings.CALL_TIMEOUT)
        with traces.span(f"call {context}.{contract.__name__}.{method.__name__}", kind=traces.Kind.CLIENT):
            answer = _send(context, path, arguments, is_read=is_read, seconds=seconds)
        return msgspec.json.decode(answer, type=returns)

    return call


@contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Limits all calls in the block to end before the caller, who waits this long, gives up."""
    token = _answer_by.set(time.monotonic() + seconds if seconds else None)
    try:
        yield
    finally:
        _answer_by.reset(token)


def _at_most(seconds: float) -> float:
    answer_by = _answer_by.get()
    return seconds if answer_by is None else min(seconds, (answer_by - time.monotonic()) * _PASSED_ON)


@cache
def _breaker(context: str) -> Breaker:
    return Breaker(faults=_FAULTS_TO_OPEN, open_seconds=OPEN_SECONDS)


_http: dict[int, "httpx.Client"] = {}
_http_lock = threading.Lock()


def _http_client() -> "httpx.Client":
    import httpx

    with _http_lock:
        pid = os.getpid()
        if pid not in _http:
            # ignores proxies set in the environment: these calls stay inside
            _http[pid] = httpx.Client(timeout=settings.CALL_TIMEOUT, trust_env=False)
        return _http[pid]


def _send(context: str, path: str, arguments: dict[str, Any], *, is_read: bool, seconds: float) -> bytes:
    """One call over HTTP: a deadline, retries for reads, a circuit breaker; problems are raised here as they were
    there."""
    import httpx

    deadline = time.monotonic() + seconds
    attempts = _READ_ATTEMPTS if is_read else 1
    last: Exception | None = None
    for attempt in range(attempts):
        left = deadline - time.monotonic()
        if left <= 0 or not _breaker(context).allow():
            metrics.count_call(context, outcome="kept back")
            break
        try:
            answer = _send_once(context, path, arguments, is_read=is_read, seconds=left)
        except (httpx.HTTPError, httpx.InvalidURL, _ServerFault) as error:
            _breaker(context).record(fault=not isinstance(error, _Refused))
            metrics.count_call(context, outcome="failed")
            log.warning("call.failed", context=context, path=path, error=repr(error))
            last = error
            time.sleep(min(0.05 * 2**attempt, max(deadline - time.monotonic(), 0)))
        else:
            _breaker(context).record(fault=False)
            metrics.count_call(context, outcome="refused" if isinstance(answer, Problem) else "answered")
            if isinstance(answer, Problem):
                raise answer
            return answer
    raise Unavailable(f"{context} does not answer", code=f"{context}_unavailable", retry_after=OPEN_SECONDS) from last


class _ServerFault(Exception):
    """The other side failed."""


class _Refused(_ServerFault):
    """The other side responds, but does not take this call: it is of another release, or misconfigured."""


def _send_once(context: str, path: str, arguments: dict[str, Any], *, is_read: bool, seconds: float) -> bytes | Problem:
    url = settings.SERVICE_URLS[context].rstrip("/") + path
    headers = {
        "Authorization": f"Bearer {service_token(context)}",
        REQUEST_TIMEOUT: f"{seconds:.3f}",
        **_correlation_headers(),
    }
    query = {name: msgspec.json.encode(value).decode() for name, value in arguments.items()} if is_read else {}
    sent: tuple[str, dict[str, Any]] = ("POST", {"content": msgspec.json.encode(arguments)})
    if is_read and sum(map(len, query.values())) <= _LONGEST_QUERY:
        sent = ("GET", {"params": query})
    deadline = time.monotonic() + seconds
    with _http_client().stream(sent[0], url, **sent[1], headers=headers, timeout=seconds) as response:
        content = _read_until(deadline, response)
    if response.status_code == 200:
        return content
    return _problem_from(response, content)


def _read_until(deadline: float, response: "httpx.Response") -> bytes:
    """Reads the body before the deadline: httpx's own timeout applies to each chunk separately."""
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if time.monotonic() > deadline:
            raise _ServerFault(f"{response.url.path} took too long")
    return bytes(body)


def _correlation_headers() -> dict[str, str]:
    bound = structlog.contextvars.get_contextvars()
    names = {"request_id": "X-Request-ID", "traceparent": "traceparent"}
    return {header: str(bound[key]) for key, header in names.items() if key in bound} | lag_headers()


def _problem_from(response: "httpx.Response", content: bytes) -> Problem:
    """The problem that the implementation raised there; anything else is a server fault, not the client's."""
    kind = PROBLEMS.get(response.status_code, Problem)
    try:
        body = msgspec.json.decode(content, type=_ProblemBody)
    except msgspec.DecodeError:
        raise _ServerFault(f"{response.status_code} from {response.url.path}") from None
    refused = CALL_REFUSED in response.headers
    if refused or (kind is Problem and response.status_code >= 500):
        fault = _Refused if refused else _ServerFault
        raise fault(f"{response.status_code} {body.code} from {response.url.path}: {body.detail}")
    errors = [FieldError(error["field"], error["code"], error["detail"]) for error in body.errors]
    retry_after = response.headers.get("Retry-After", "")
    return kind(body.detail, body.code, errors, int(retry_after) if retry_after.isdigit() else None)


class _ProblemBody(msgspec.Struct):
    detail: str
    code: str
    errors: list[dict[str, str]] = []


def service_token(audience: str) -> str:
    """A token for one call to `audience`: signed with `SERVICE_SECRET`, valid for a minute."""
    now = int(time.time())
    claims = {"iss": settings.SERVICE_NAME, "aud": f"internal:{audience}", "iat": now, "exp": now + _TOKEN_SECONDS}
    return jwt.encode(claims, settings.SERVICE_SECRET, algorithm="HS256")


def verify_service_token(token: str, *, audience: str) -> str:
    """The caller that a service token names; raises `jwt.InvalidTokenError` when it is not valid."""
    claims = jwt.decode(
        token,
        settings.SERVICE_SECRET,
        algorithms=["HS256"],
        audience=f"internal:{audience}",
        options={"require": ["iss", "aud", "exp", "iat"], "verify_iat": False},  # clocks differ, and are set back
    )
    if int(claims["exp"]) - int(claims["iat"]) > _TOKEN_SECONDS:
        raise jwt.InvalidTokenError("a service token is good for a minute")
    return str(claims["iss"])


def argument_types(contract: type, *, method: str) -> dict[str, Any]:
    """The declared argument types of a contract's method, for decoding what came over HTTP."""
    function = getattr(contract, method)
    hints = get_type_hints(function)
    return {name: hints[name] for name in inspect.signature(function).parameters if name != "self"}
