"""What the users tests say about events: this was published, and hand this one over."""

from typing import Any

from socialapp.core.ids import new_id
from socialapp.messaging.delivery import deliver
from socialapp.messaging.envelope import decode, wrap
from socialapp.messaging.models import FailedDelivery, OutboxEvent


def published(event_type: str = "") -> list[dict[str, Any]]:
    """The data of all events that users published, in order; of one type when it is named."""
    rows = OutboxEvent.objects.using("users").order_by("id")
    if event_type:
        rows = rows.filter(type=f"users.{event_type}.v1")
    return [decode(row.envelope).data for row in rows]


def published_types() -> list[str]:
    """The types of all events that users published, in order, without context and version."""
    types = OutboxEvent.objects.using("users").order_by("id").values_list("type", flat=True)
    return [name.split(".")[1] for name in types]


def hand_over(*events: object) -> None:
    """Delivers events to users, in one batch, each as if it were new; none may fail."""
    deliver("users", [wrap(event, event_id=new_id()) for event in events])
    assert not FailedDelivery.objects.using("users").exists(), list(FailedDelivery.objects.using("users").values())
