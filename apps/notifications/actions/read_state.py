"""Marks notifications as read, on all devices of the person."""

from collections.abc import Sequence

from apps.notifications.actions.socket_messages import MarkedRead, publish_to_user
from apps.notifications.models import Notification
from socialapp.core.db import transactional


@transactional("notifications")
def mark_read(*, user_id: int, ids: Sequence[int]) -> None:
    """Marks those of `ids` that are the person's own. Idempotent; other ids are ignored."""
    Notification.objects.filter(user_id=user_id, id__in=ids, is_read=False).update(is_read=True)
    publish_to_user(MarkedRead(user_id, None, list(ids), ""))


@transactional("notifications")
def mark_read_up_to(*, user_id: int, up_to: int, origin: str = "") -> None:
    """Marks everything up to and including the id `up_to`. Idempotent. `origin`: see `MarkedRead`."""
    Notification.objects.filter(user_id=user_id, id__lte=up_to, is_read=False).update(is_read=True)
    publish_to_user(MarkedRead(user_id, up_to, [], origin))
