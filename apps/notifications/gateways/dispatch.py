"""Sends batches of push messages concurrently, so that a slow or unavailable push service delays no other."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from apps.notifications.gateways.messages import Device, Outcome, PushGateway, PushMessage, SendResult

MAX_IN_FLIGHT = 200
# After this many failures in a row, a push service is skipped for the rest of the run.
_FAILURES_TO_SKIP = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRequest:
    """One message to one device, through one of the gateways."""

    provider: str
    device: Device
    message: PushMessage


class PushDispatcher:
    """Keeps up to MAX_IN_FLIGHT requests in progress; remembers, while it lives, which services do not answer."""

    def __init__(self, gateways: dict[str, PushGateway]) -> None:
        self._gateways = gateways
        self._failures: Counter[str] = Counter()
        self._free = asyncio.Semaphore(MAX_IN_FLIGHT)

    async def send_all(self, requests: Sequence[PushRequest]) -> list[SendResult]:
        """The result of each request, in order."""
        return list(await asyncio.gather(*map(self._send, requests)))

    async def _send(self, request: PushRequest) -> SendResult:
        gateway = self._gateways.get(request.provider)
        if gateway is None:
            return SendResult(Outcome.REFUSED, detail=f"{request.provider} is not set up")
        service = _service_of(request)
        async with self._free:
            if self._failures[service] >= _FAILURES_TO_SKIP:
                return SendResult(Outcome.RETRY, detail="the push service does not answer")
            result = await gateway.send(request.device, request.message)
        failed = result.outcome == Outcome.RETRY and result.retry_after is None
        self._failures[service] = self._failures[service] + 1 if failed else 0
        return result


def _service_of(request: PushRequest) -> str:
    return urlsplit(request.device.endpoint).netloc or request.provider
