"""What the tests of publishing, relay, delivery and reconciler share."""

import pytest

from socialapp.contracts.base import EVENTS
from socialapp.messaging import registry
from socialapp.messaging.registry import Handler
from tests.kernel.bells import CONSUMER, BellRung


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A handler on CONSUMER that records the bells it handled, and fails for negative ones."""
    handled: list[int] = []

    def handle(bell: BellRung) -> None:
        handled.append(bell.bell_id)
        if bell.bell_id < 0:
            raise ValueError("cracked bell")

    key = (CONSUMER, EVENTS["metrics.bell_rung.v1"].name)
    monkeypatch.setitem(registry._handlers, key, [Handler(f"{CONSUMER}.handle", CONSUMER, key[1], handle, None)])
    return handled


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """The messages that the relay handed to the broker."""
    sent: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(
        "socialapp.messaging.transports.port.publish_batch", lambda kind, envelopes: sent.append((kind, envelopes))
    )
    return sent
