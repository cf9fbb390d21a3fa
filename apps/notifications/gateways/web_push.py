"""Web Push: encrypts a message for one browser and posts it to the push service that the browser chose.

Source: RFC 8030 (protocol), RFC 8291 (encryption), RFC 8292 (VAPID: who sends it).
"""

import base64
import time
from collections import OrderedDict
from urllib.parse import urlsplit

import aiohttp
import http_ece
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from apps.notifications.gateways.endpoints import is_public_endpoint
from apps.notifications.gateways.messages import (
    Device,
    Outcome,
    PushMessage,
    SendResult,
    payload_within,
    result_of_status,
)

MAX_PAYLOAD_BYTES = 3072
_TOKEN_SECONDS = 12 * 3600
_TOKEN_REUSE_SECONDS = 6 * 3600
_MAX_TOKENS = 1000
_DETAIL_BYTES = 200


class VapidSigner:
    """Signs with the server's key; a signature is reused for hours for the same push service."""

    def __init__(self, *, private_key: ec.EllipticCurvePrivateKey, public_key: str, subject: str) -> None:
        self._private_key, self._public_key, self._subject = private_key, public_key, subject
        self._headers: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def header(self, endpoint: str) -> str:
        """The Authorization header for an endpoint."""
        origin = _origin(endpoint)
        now = time.time()
        known = self._headers.get(origin)
        if known and known[0] > now:
            return known[1]
        claims = {"aud": origin, "exp": int(now) + _TOKEN_SECONDS, "sub": self._subject}
        token = jwt.encode(claims, self._private_key, algorithm="ES256")
        header = f"vapid t={token},k={self._public_key}"
        self._headers[origin] = (now + _TOKEN_REUSE_SECONDS, header)
        if len(self._headers) > _MAX_TOKENS:
            self._headers.popitem(last=False)
        return header


class WebPushGateway:
    """Sends over a session that refuses addresses inside our own network."""

    def __init__(self, session: aiohttp.ClientSession, signer: VapidSigner) -> None:
        self._session, self._signer = session, signer

    async def send(self, device: Device, message: PushMessage) -> SendResult:
        """See `PushGateway.send`."""
        if not is_public_endpoint(device.endpoint):
            return SendResult(Outcome.GONE, detail="the endpoint is not public")
        try:
            body = encrypt(payload_of(message), p256dh=device.p256dh, auth=device.auth)
        except ValueError:
            return SendResult(Outcome.GONE, detail="the subscription's keys cannot be used")
        headers = {
            "Authorization": self._signer.header(device.endpoint),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(message.ttl),
            "Urgency": message.urgency,
        }
        if message.topic:
            headers["Topic"] = message.topic
        try:
            async with self._session.post(
                device.endpoint, data=body, headers=headers, allow_redirects=False
            ) as response:
                detail = "" if response.ok else (await response.content.read(_DETAIL_BYTES)).decode(errors="replace")
                return result_of_status(
                    status=response.status, retry_after=response.headers.get("Retry-After"), detail=detail
                )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return SendResult(Outcome.RETRY, detail=repr(error)[:_DETAIL_BYTES])


def payload_of(message: PushMessage) -> bytes:
    """The JSON for the service worker, within MAX_PAYLOAD_BYTES: a body that is too long is truncated."""
    fields = {name: getattr(message, name) for name in ("id", "kind", "title", "body", "url", "icon")}
    return payload_within(
        limit=MAX_PAYLOAD_BYTES, payload=lambda body: msgspec.json.encode({**fields, "body": body}), body=message.body
    )


def encrypt(payload: bytes, *, p256dh: str, auth: str) -> bytes:
    """The payload, encrypted for the browser with these keys; ValueError if the keys are invalid."""
    return bytes(
        http_ece.encrypt(  # type: ignore[no-untyped-call]
            payload,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=_decoded(p256dh),
            auth_secret=_decoded(auth),
            version="aes128gcm",
        )
    )


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _origin(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"
