"""What the router needs of a socket."""

from typing import Any, Protocol

from apps.notifications.access import UnreadCount
from apps.notifications.actions import MarkedRead
from socialapp.core.principal import Principal


class Socket(Protocol):
    """One open connection of one person."""

    principal: Principal
    # When its token expires, in seconds since 1970.
    expires: float
    # Everything up to this id was there before the socket was opened; what is newer is sent to it.
    since: int
    # The greatest id that it was given.
    last: int

    def offer(self, notification_id: int, body: str, *, counted: int) -> None:
        """Sends a notification once, unless it was there before the socket was opened.

        `counted` is the unread count including what is hidden now.
        """

    def show_unread(self, unread: UnreadCount, *, read: MarkedRead | None = None) -> None:
        """Sends a new unread count, because of `read` or of something else."""

    def show(self, message: dict[str, Any]) -> None:
        """Sends a message about an open page."""

    def end(self, code: int) -> None:
        """Closes the socket."""
