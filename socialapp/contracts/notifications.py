"""What notifications tells."""

from socialapp.contracts.base import event


@event("notifications.user_erased", subject="user_id")
class NotificationsErased:
    """notifications has erased its part."""

    user_id: int
    erasure_id: int
