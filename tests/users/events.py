"""Events in the tests of users: what was published, and delivering one."""

from functools import partial
from typing import Any

from tests.events import deliver_events_to, published_by

deliver_events = partial(deliver_events_to, "users")


def published(event_type: str = "") -> list[dict[str, Any]]:
    """The data of all events that users published, in order; of one type when it is named."""
    wanted = f"users.{event_type}.v1" if event_type else ""
    return [envelope.data for envelope in published_by("users", wanted)]


def published_types() -> list[str]:
    """The types of all events that users published, in order, without context and version."""
    return [envelope.type.split(".")[1] for envelope in published_by("users")]
