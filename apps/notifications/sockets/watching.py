"""Open pages: pushes new posts of a displayed feed, and changed counts of displayed posts, at most once a second."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from apps.notifications import access
from apps.notifications.access import PostCounts
from apps.notifications.sockets.threads import in_thread
from apps.notifications.sockets.types import Socket

MAX_WATCHED_POSTS = 50
_FLUSHES_WAITED = 60  # waits for fan-out to reach a feed; then its reader is notified anyway


class Watchers:
    """Which sockets of this process show what, and what has changed since the last flush."""

    def __init__(self) -> None:
        self._feeds: dict[int, set[Socket]] = defaultdict(set)
        self._posts: dict[int, set[Socket]] = defaultdict(set)
        self._watched: dict[Socket, tuple[bool, frozenset[int]]] = {}
        # post → people whose feed it is new in, with the number of flushes left to wait for fan-out
        self._new: dict[int, dict[int, int]] = defaultdict(dict)
        self._changed: set[int] = set()

    def watch(self, socket: Socket, *, feed: bool, post_ids: Iterable[int]) -> None:
        """Sets what a socket's page shows now, in place of what it showed before."""
        self.forget(socket)
        posts = frozenset(post_ids)
        if feed:
            self._feeds[socket.principal.id].add(socket)
        for post_id in posts:
            self._posts[post_id].add(socket)
        if feed or posts:
            self._watched[socket] = (feed, posts)

    def forget(self, socket: Socket) -> None:
        """Records that a socket's page shows nothing any more. Idempotent."""
        feed, posts = self._watched.pop(socket, (False, frozenset()))
        if feed:
            _discard(self._feeds, socket.principal.id, socket)
        for post_id in posts:
            _discard(self._posts, post_id, socket)

    def feed_changed(self, post_id: int, user_ids: Iterable[int]) -> None:
        """A post is new in the feeds of these people."""
        if here := self._feeds.keys() & set(user_ids):
            self._new[post_id].update(dict.fromkeys(here, _FLUSHES_WAITED))

    def posts_changed(self, post_ids: Iterable[int]) -> None:
        """The counts of these posts have changed."""
        self._changed.update(post_id for post_id in post_ids if post_id in self._posts)

    async def flush(self) -> None:
        """Sends what has changed to those who may see it now. Called once a second."""
        new, self._new = self._new, defaultdict(dict)
        changed, self._changed = self._changed, set()
        if new:
            await self._flush_feeds(new)
        if changed:
            await self._flush_posts(changed)

    async def _flush_feeds(self, new: dict[int, dict[int, int]]) -> None:
        """Feeds that fan-out has not reached wait, so that notified readers find the post when they read the feed."""
        readers = await in_thread(access.readers_of, new)
        late = await in_thread(access.late_readers_of, readers)
        posts_by_person: dict[int, list[str]] = defaultdict(list)
        for post_id in sorted(readers, reverse=True):
            for user_id in readers[post_id]:
                if user_id in late[post_id] and (waits := new[post_id][user_id]) and user_id in self._feeds:
                    self._new[post_id].setdefault(user_id, waits - 1)
                else:
                    posts_by_person[user_id].append(str(post_id))
        for user_id, post_ids in posts_by_person.items():
            _show(self._feeds.get(user_id, ()), {"type": "feed", "post_ids": post_ids})

    async def _flush_posts(self, changed: set[int]) -> None:
        viewers = {post_id: {socket.principal.id for socket in self._posts.get(post_id, ())} for post_id in changed}
        readers = await in_thread(access.readers_of, viewers)
        counts = await in_thread(access.post_counts, sorted(readers))
        for post_id, people in readers.items():
            sockets = [socket for socket in self._posts.get(post_id, ()) if socket.principal.id in people]
            _show(sockets, _post_message(post_id, counts[post_id]))


def _post_message(post_id: int, counts: PostCounts) -> dict[str, Any]:
    return {
        "type": "post",
        "id": str(post_id),
        "comments_count": counts.comments,
        "reactions": counts.reactions,
        "reposts_count": counts.reposts,
    }


def _show(sockets: Iterable[Socket], message: dict[str, Any]) -> None:
    for socket in list(sockets):
        socket.show(message)


def _discard(sockets: dict[int, set[Socket]], key: int, socket: Socket) -> None:
    sockets[key].discard(socket)
    if not sockets[key]:
        del sockets[key]
