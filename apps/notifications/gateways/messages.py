"""What push gateways take and answer, whatever the service behind them."""

import email.utils
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

_LONGEST_WAIT = 86_400.0


class Urgency(StrEnum):
    """How soon a device should wake up for a message. Source: RFC 8030, 5.3."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushMessage:
    """What one device shows. A later message with the same `topic` replaces one that is still waiting."""

    id: str
    kind: str
    title: str
    body: str
    url: str
    icon: str
    ttl: int  # seconds for which the push service keeps it for a device that is offline
    urgency: Urgency
    topic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Where messages go: a browser's endpoint with its keys, or a token of APNs or FCM in `endpoint`."""

    endpoint: str
    p256dh: str = ""
    auth: str = ""


class Outcome(StrEnum):
    """What became of a message."""

    SENT = "sent"
    GONE = "gone"  # the device does not take messages any more
    RETRY = "retry"  # not now
    REFUSED = "refused"  # neither now nor later


@dataclass(frozen=True, slots=True)
class SendResult:
    """The outcome, how many seconds the service asks to wait before a retry (if it says so), and why."""

    outcome: Outcome
    retry_after: float | None = None
    detail: str = ""


class PushGateway(Protocol):
    """One push service."""

    async def send(self, device: Device, message: PushMessage) -> SendResult:
        """Sends one message; never raises for what the service or the network does."""
        ...


def payload_within(*, limit: int, payload: Callable[[str], bytes], body: str) -> bytes:
    """What `payload` makes of `body`, or of so much of its beginning that the payload has at most `limit` bytes."""
    made = payload(body)
    while len(made) > limit and body:
        body = body[: len(body) // 2]
        made = payload(body)
    return made


def result_of_status(*, status: int, retry_after: str | None, detail: str = "") -> SendResult:
    """The outcome that an HTTP status of a push service stands for. Source: RFC 8030, 5 and 7.3."""
    if 200 <= status < 300:
        return SendResult(Outcome.SENT)
    if status in (404, 410):
        return SendResult(Outcome.GONE, detail=f"{status} {detail}".strip())
    if status == 429 or status >= 500:
        return SendResult(Outcome.RETRY, _seconds(retry_after), f"{status} {detail}".strip())
    return SendResult(Outcome.REFUSED, detail=f"{status} {detail}".strip())


def _seconds(retry_after: str | None) -> float | None:
    """Of a Retry-After header: a number of seconds or a date (RFC 9110, 10.2.3); at most a day."""
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after), _LONGEST_WAIT)
    try:
        moment = email.utils.parsedate_to_datetime(retry_after).timestamp()
    except ValueError:
        return None
    return min(max(moment - time.time(), 0.0), _LONGEST_WAIT)
