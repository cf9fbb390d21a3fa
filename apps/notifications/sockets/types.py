"""The router's interface to sockets."""

from typing import Any, Protocol

from apps.notifications.access import UnreadCount
from apps.notifications.actions import MarkedRead
from socialapp.core.principal import Principal


class Socket(Protocol):
    """One open connection of one person."""

    principal: Principal
    # When its token expires, in seconds since 1970.
    expires: float
    # Everything up to this id existed before the socket was opened; newer ones are sent to it.
    since: int
    # The greatest id that was sent to it.
    last: int

    def offer(self, notification_id: int, body: str, *, counted: int) -> None:
        """Sends a notification once, unless it existed before the socket was opened.

        `counted` is the unread count, including hidden ones.
        """

    def show_unread(self, unread: UnreadCount, *, read: MarkedRead | None = None) -> None:
        """Sends a new unread count, with what was read if that is the reason."""

    def show(self, message: dict[str, Any]) -> None:
        """Sends a message about an open page."""

    def end(self, code: int) -> None:
        """Closes the socket."""
