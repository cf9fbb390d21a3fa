"""The common types of push gateways, whatever the service."""

import email.utils
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

_LONGEST_WAIT = 86_400.0


class Urgency(StrEnum):
    """The urgency of a message for a device. Source: RFC 8030, 5.3."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushMessage:
    """A message for one device. A later message with the same `topic` replaces one that is not delivered yet."""

    id: str
    kind: str
    title: str
    body: str
    url: str
    icon: str
    ttl: int  # seconds for which the push service stores it for an offline device
    urgency: Urgency
    topic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """The recipient: a browser's endpoint with its keys, or a token of APNs or FCM in `endpoint`."""

    endpoint: str
    p256dh: str = ""
    auth: str = ""


class Outcome(StrEnum):
    """The outcomes of sending."""

    SENT = "sent"
    GONE = "gone"  # the device no longer accepts messages
    RETRY = "retry"  # temporary failure
    REFUSED = "refused"  # permanent failure of this message


@dataclass(frozen=True, slots=True)
class SendResult:
    """The outcome, the seconds to wait before a retry (if the service says so), and the reason."""

    outcome: Outcome
    retry_after: float | None = None
    detail: str = ""


class PushGateway(Protocol):
    """One push service."""

    async def send(self, device: Device, message: PushMessage) -> SendResult:
        """Sends one message; never raises for failures of the service or the network."""
        ...


def payload_within(*, limit: int, payload: Callable[[str], bytes], body: str) -> bytes:
    """`payload` of `body`, truncated so that the payload has at most `limit` bytes."""
    made = payload(body)
    while len(made) > limit and body:
        body = body[: len(body) // 2]
        made = payload(body)
    return made


def result_of_status(*, status: int, retry_after: str | None, detail: str = "") -> SendResult:
    """The outcome for an HTTP status of a push service. Source: RFC 8030, 5 and 7.3."""
    if 200 <= status < 300:
        return SendResult(Outcome.SENT)
    if status in (404, 410):
        return SendResult(Outcome.GONE, detail=f"{status} {detail}".strip())
    if status == 429 or status >= 500:
        return SendResult(Outcome.RETRY, _seconds(retry_after), f"{status} {detail}".strip())
    return SendResult(Outcome.REFUSED, detail=f"{status} {detail}".strip())


def _seconds(retry_after: str | None) -> float | None:
    """The seconds of a Retry-After header: a number or a date (RFC 9110, 10.2.3); at most a day."""
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after), _LONGEST_WAIT)
    try:
        moment = email.utils.parsedate_to_datetime(retry_after).timestamp()
    except ValueError:
        return None
    return min(max(moment - time.time(), 0.0), _LONGEST_WAIT)
