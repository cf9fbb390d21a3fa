"""Recovers from lost socket messages: finds in the database what a person's sockets were not sent."""

from typing import Protocol

from apps.notifications import queries
from apps.notifications.sockets.threads import in_thread
from apps.notifications.sockets.types import Socket

_BATCH = 100
# Ids are created before their transactions commit, and clocks differ: search this far back for missed ones.
_OVERLAP = 10_000 << 16


class _Router(Protocol):
    def sockets_of(self, user_id: int) -> tuple[Socket, ...]:
        """The person's sockets."""

    async def deliver(self, user_id: int, ids: list[int]) -> None:
        """Offers notifications to them."""


async def deliver_missed(router: _Router, user_id: int) -> None:
    """Offers everything that is newer than the last notification sent to the person's sockets.

    Sockets send each only once, and none that existed before they were opened.
    """
    sockets = router.sockets_of(user_id)
    after = max(min(socket.last for socket in sockets) - _OVERLAP, min(socket.since for socket in sockets))
    while True:
        page = await in_thread(queries.notifications_between, user_id=user_id, after=after, limit=_BATCH)
        await router.deliver(user_id, [row.id for row in page])
        for socket in router.sockets_of(user_id):
            socket.last = max(socket.last, page[-1].id if page else 0)
        if len(page) < _BATCH:
            return
        after = page[-1].id
