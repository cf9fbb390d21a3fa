"""Events in the tests of notifications: what was published, and delivering one."""

from functools import partial
from typing import Any

from tests.events import deliver_events_to, published_by

deliver_events = partial(deliver_events_to, "notifications")


def published(event_type: str = "") -> list[dict[str, Any]]:
    """The data of all events that notifications published, in order; of one type when it is named."""
    wanted = f"notifications.{event_type}.v1" if event_type else ""
    return [envelope.data for envelope in published_by("notifications", wanted)]
