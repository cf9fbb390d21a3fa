"""`Idempotency-Key`: the response is stored in the transaction of the write, so a retry finds both or neither.

Source: draft-ietf-httpapi-idempotency-key-header. The answer is encrypted under a key derived from the client's own
key: the table alone gives away neither tokens nor texts.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from socialapp.core.db import transactional
from socialapp.core.errors import Invalid, Malformed, Problem
from socialapp.core.json import to_json
from socialapp.http.admission import address_block, client_address
from socialapp.http.models import IdempotencyKey

_MAX_KEY = 255
_SECONDS_OF_ANOTHER = 1.0


def create_once(request: Request, *, context: str, create: Callable[[], tuple[int, Any]], body: Any = None) -> Response:
    """Runs `create` in one transaction on `context` and returns its (status, body), once per Idempotency-Key.

    `create` must write and render, and must not call other contexts: gather before. A repeated key with the same
    method, path and body gets the stored response; otherwise 422. Without a key it simply runs. A transaction that the
    database aborted as a deadlock victim is retried. `body` replaces the request's body for comparison if that is not
    JSON.
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        status, body = transactional(context)(create)()
        return Response(body, status=status)
    record = _Record(request, context, key, body)
    if (answer := record.replay()) is not None:
        return answer
    try:
        return transactional(context)(lambda: record.store(*_answer(create)))()
    except (IntegrityError, Problem):
        # The same key was stored concurrently: return its response, even if our own error is its effect ("this name is
        # taken", by our own first attempt). Any other clash or error is raised again.
        answer = record.replay()
        if answer is None:
            raise
        return answer


def replayed(request: Request, *, context: str, body: Any = None) -> Response | None:
    """The stored response for this request's key, to check before calls to other contexts; None if new."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    return _Record(request, context, key, body).replay() if key is not None else None


def replayed_soon(request: Request, *, context: str) -> Response | None:
    """Like `replayed`, after an error that a concurrent request with the same key may have caused.

    Waits up to a second for its response; not at all without a key.
    """
    if "HTTP_IDEMPOTENCY_KEY" not in request.META:
        return None
    deadline = time.monotonic() + _SECONDS_OF_ANOTHER
    while (answer := replayed(request, context=context)) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


def _answer(create: Callable[[], tuple[int, Any]]) -> tuple[int, bytes]:
    status, body = create()
    return status, to_json(body)


class _Record:
    """One caller's key for one request."""

    def __init__(self, request: Request, context: str, key: str, body: Any) -> None:
        if not key or len(key) > _MAX_KEY or not key.isprintable():
            raise Malformed(
                f"Idempotency-Key must be 1 to {_MAX_KEY} printable characters", code="idempotency_key_invalid"
            )
        self._context = context
        self._key = key
        owner = str(request.user.id) if request.user else f"anonymous at {address_block(client_address(request))}"
        self._digest = _keyed_digest(f"{owner}\n{key}")
        content = _canonical(request.data if body is None else body)
        self._fingerprint = _keyed_digest(f"{request.method}\n{request.path_info}\n{content}")

    def replay(self) -> Response | None:
        since = timezone.now() - timedelta(hours=settings.IDEMPOTENCY_HOURS)
        rows = IdempotencyKey.objects.using(self._context).filter(digest=self._digest)
        row = rows.first()
        if row is None:
            return None
        if row.created_at < since:
            rows.delete()
            return None
        if row.fingerprint != self._fingerprint:
            raise Invalid("this Idempotency-Key was used for another request", code="idempotency_key_reused")
        body = self._cipher().decrypt(row.answer.encode())
        return Response(body, status=row.status, headers={"Idempotency-Replayed": "true"})

    def store(self, status: int, body: bytes) -> Response:
        IdempotencyKey(
            digest=self._digest,
            fingerprint=self._fingerprint,
            status=status,
            answer=self._cipher().encrypt(body).decode(),
        ).save(using=self._context, force_insert=True)
        return Response(body, status=status)

    def _cipher(self) -> Fernet:
        derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"socialapp idempotency answer")
        secret = derive.derive(f"{settings.SECRET_KEY}\n{self._key}".encode())
        return Fernet(base64.urlsafe_b64encode(secret))


def _canonical(body: Any) -> str:
    """The body in canonical form, independent of spaces and the order of members, for any numbers."""
    try:
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except RecursionError:
        raise Malformed("the body is nested too deeply", code="malformed_json") from None


def _keyed_digest(text: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
