"""What the notifications tests say about events: this was published, and hand this one over."""

from typing import Any

from socialapp.core.ids import new_id
from socialapp.messaging.delivery import deliver
from socialapp.messaging.envelope import decode, wrap
from socialapp.messaging.models import FailedDelivery, OutboxEvent


def published(event_type: str = "") -> list[dict[str, Any]]:
    """The data of all events that notifications published, in order; of one type when it is named."""
    rows = OutboxEvent.objects.using("notifications").order_by("id")
    if event_type:
        rows = rows.filter(type=f"notifications.{event_type}.v1")
    return [decode(row.envelope).data for row in rows]


def hand_over(*events: object) -> None:
    """Delivers events to notifications, in one batch, each as if it were new; none may fail."""
    deliver("notifications", [wrap(event, event_id=new_id()) for event in events])
    failed = list(FailedDelivery.objects.using("notifications").values())
    assert not failed, failed
