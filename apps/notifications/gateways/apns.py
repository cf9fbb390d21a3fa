"""Apple's push service (APNs): a JSON message per device, over HTTP/2, signed with the developer account's key.

Source: Apple, "Sending notification requests to APNs", "Establishing a token-based connection to APNs" and "Handling
notification responses from APNs".
"""

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
MAX_COLLAPSE_ID_BYTES = 64
# Apple refuses tokens older than an hour, and tokens renewed more often than every 20 minutes.
_TOKEN_SECONDS = 50 * 60
# The app was removed from the device, or the token never belonged to this app.
_GONE = frozenset({"BadDeviceToken", "DeviceTokenNotForTopic", "ExpiredToken", "Unregistered"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ApnsAccount:
    """The credentials at Apple; `key` is the PEM of the .p8 file, `topic` the bundle id of the app."""

    url: str
    key: str
    key_id: str
    team_id: str
    topic: str


class ApnsGateway:
    """Sends over one HTTP/2 connection."""

    def __init__(self, client: httpx.AsyncClient, account: ApnsAccount) -> None:
        self._client, self._account = client, account
        self._token, self._token_until = "", 0.0

    async def send(self, device: Device, message: PushMessage) -> SendResult:
        """See `PushGateway.send`."""
        headers = {
            "authorization": f"bearer {self._provider_token()}",
            "apns-topic": self._account.topic,
            "apns-push-type": "alert",
            "apns-priority": "5" if message.urgency == Urgency.LOW else "10",
            "apns-expiration": str(int(time.time()) + message.ttl),
        }
        if message.topic:
            headers["apns-collapse-id"] = message.topic[:MAX_COLLAPSE_ID_BYTES]
        try:
            answer = await self._client.post(
                f"{self._account.url}/3/device/{device.endpoint}", content=_payload(message), headers=headers
            )
        except (httpx.HTTPError, OSError) as error:
            return SendResult(Outcome.RETRY, detail=repr(error))
        return self._result(answer)

    def _result(self, answer: httpx.Response) -> SendResult:
        reason = "" if answer.is_success else _reason(answer)
        if reason in _GONE:
            return SendResult(Outcome.GONE, detail=f"{answer.status_code} {reason}")
        if reason == "ExpiredProviderToken":
            self._token_until = 0.0
            return SendResult(Outcome.RETRY, 0.0, reason)
        if answer.status_code == httpx.codes.NOT_FOUND:  # an unknown path, not the device
            return SendResult(Outcome.REFUSED, detail=f"404 {reason}")
        return result_of_status(status=answer.status_code, retry_after=answer.headers.get("retry-after"), detail=reason)

    def _provider_token(self) -> str:
        now = time.time()
        if now >= self._token_until:
            claims = {"iss": self._account.team_id, "iat": int(now)}
            headers = {"kid": self._account.key_id}
            self._token = jwt.encode(claims, self._account.key, algorithm="ES256", headers=headers)
            self._token_until = now + _TOKEN_SECONDS
        return self._token


def _payload(message: PushMessage) -> bytes:
    def payload(body: str) -> bytes:
        alert = {"title": message.title, "body": body}
        aps: dict[str, Any] = {"alert": alert, "thread-id": message.topic or message.kind}
        return msgspec.json.encode({"aps": aps, "id": message.id, "kind": message.kind, "url": message.url})

    return payload_within(limit=MAX_PAYLOAD_BYTES, payload=payload, body=message.body)


def _reason(answer: httpx.Response) -> str:
    try:
        return str(msgspec.json.decode(answer.content, type=dict[str, Any]).get("reason", ""))
    except msgspec.DecodeError:
        return ""
