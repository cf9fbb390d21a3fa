"""Firebase Cloud Messaging (FCM): a JSON message per device, by a service account of the app's Google project.

Source: Firebase, "FCM HTTP v1 API" and "FCM error codes"; Google, "Using OAuth 2.0 for server to server applications".
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import msgspec

from apps.notifications.gateways.messages import (
    Device,
    Outcome,
    PushMessage,
    SendResult,
    Urgency,
    payload_within,
    result_of_status,
)

MAX_PAYLOAD_BYTES = 4096
_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_SECONDS = 3600
_MARGIN_SECONDS = 60  # before an access token expires
_QUOTA_SECONDS = 60.0  # Google's recommended wait without a Retry-After
# The app was removed from the device, or its token belongs to another sender.
_GONE = frozenset({"UNREGISTERED", "SENDER_ID_MISMATCH"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FcmAccount:
    """A service account, as in its JSON file; `private_key` is a PEM."""

    url: str
    project_id: str
    client_email: str
    private_key: str
    token_uri: str


class FcmGateway:
    """Sends over one HTTP/2 connection; fetches an access token about once an hour."""

    def __init__(self, client: httpx.AsyncClient, account: FcmAccount) -> None:
        self._client, self._account = client, account
        self._access, self._access_until = "", 0.0
        self._asking = asyncio.Lock()

    async def send(self, device: Device, message: PushMessage) -> SendResult:
        """See `PushGateway.send`."""
        body = _payload(device, message)
        try:
            answer = await self._post(body)
            if answer.status_code == httpx.codes.UNAUTHORIZED:  # the token was revoked early
                self._access_until = 0.0
                answer = await self._post(body)
        except (httpx.HTTPError, OSError, msgspec.MsgspecError) as error:
            return SendResult(Outcome.RETRY, detail=repr(error))
        return _result(answer)

    async def _post(self, body: bytes) -> httpx.Response:
        headers = {"authorization": f"Bearer {await self._access_token()}", "content-type": "application/json"}
        url = f"{self._account.url}/v1/projects/{self._account.project_id}/messages:send"
        return await self._client.post(url, content=body, headers=headers)

    async def _access_token(self) -> str:
        async with self._asking:
            now = time.time()
            if now < self._access_until:
                return self._access
            claims = {
                "iss": self._account.client_email,
                "scope": _SCOPE,
                "aud": self._account.token_uri,
                "iat": int(now),
                "exp": int(now) + _ASSERTION_SECONDS,
            }
            assertion = jwt.encode(claims, self._account.private_key, algorithm="RS256")
            answer = await self._client.post(
                self._account.token_uri, data={"grant_type": _GRANT, "assertion": assertion}
            )
            answer.raise_for_status()
            granted = msgspec.json.decode(answer.content, type=_Granted)
            self._access, self._access_until = granted.access_token, now + granted.expires_in - _MARGIN_SECONDS
            return self._access


class _Granted(msgspec.Struct):
    """An access token, and its lifetime in seconds."""

    access_token: str
    expires_in: int


def _payload(device: Device, message: PushMessage) -> bytes:
    """A notification that replaces the one on the device with the same tag.

    No collapse key: for an offline device FCM stores messages of four keys only, and here there is one per post.
    """
    shown = {"tag": message.topic} if message.topic else {}
    android = {
        "ttl": f"{message.ttl}s",
        "priority": "NORMAL" if message.urgency == Urgency.LOW else "HIGH",
        "notification": shown,
    }
    data = {"id": message.id, "kind": message.kind, "url": message.url}

    def payload(body: str) -> bytes:
        notification = {"title": message.title, "body": body}
        sent = {"token": device.endpoint, "notification": notification, "data": data, "android": android}
        return msgspec.json.encode({"message": sent})

    return payload_within(limit=MAX_PAYLOAD_BYTES, payload=payload, body=message.body)


def _result(answer: httpx.Response) -> SendResult:
    if answer.is_success:
        return SendResult(Outcome.SENT)
    details = _details(answer)
    codes = {str(detail.get("errorCode", "")) for detail in details} - {""}
    reason = f"{answer.status_code} {' '.join(sorted(codes))}".strip()
    if codes & _GONE or _is_bad_token(details):
        return SendResult(Outcome.GONE, detail=reason)
    if answer.status_code == httpx.codes.NOT_FOUND:  # the project, not the device
        return SendResult(Outcome.REFUSED, detail=reason)
    waiting = answer.headers.get("retry-after")
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS and not waiting:
        return SendResult(Outcome.RETRY, _QUOTA_SECONDS, reason)
    return result_of_status(status=answer.status_code, retry_after=waiting, detail=" ".join(sorted(codes)))


def _is_bad_token(details: list[dict[str, Any]]) -> bool:
    """Whether the message was refused because its token is invalid."""
    violations = [violation for detail in details for violation in detail.get("fieldViolations", [])]
    return any(violation.get("field") == "message.token" for violation in violations)


class _Error(msgspec.Struct):
    details: list[dict[str, Any]] = []


class _Refusal(msgspec.Struct):
    error: _Error


def _details(answer: httpx.Response) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(answer.content, type=_Refusal).error.details
    except msgspec.MsgspecError:
        return []
