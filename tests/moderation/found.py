"""Collects where a post and its comment are shown, and all drift."""

from typing import Any

from socialapp.contracts.drift import PROJECTING, DriftChecks
from socialapp.messaging.models import OutboxEvent
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS, JsonClient, refresh_index
from tests.moderation.conftest import Thread


def everything(thread: Thread, reader: JsonClient) -> dict[str, Any]:
    """All responses in which a reader may find the post or its comment."""
    post, comment = f"/v1/posts/{thread.post_id}", f"/v1/comments/{thread.comment_id}"
    refresh_index()
    paths = [
        *(f"{post}{part}" for part in ("", "/history", "/comments", "/reactions", "/metrics")),
        *(f"{comment}{part}" for part in ("", "/replies", "/reactions")),
        f"/v1/posts?ids={thread.post_id}",
        f"/v1/profiles/{thread.ann.id}/posts",
        f"/v1/profiles/{thread.ann.id}",
        "/v1/feed",
        "/v1/bookmarks",
        "/v1/hashtags/marmot/posts",
        "/v1/hashtags/trending",
        "/v1/search?q=plain&type=posts",
        "/v1/search/suggest?q=marm",
        "/v1/metrics/me",
    ]
    return {path: answer.json() if (answer := reader.get(path)).status_code == 200 else None for path in paths}


def drifts() -> list[object]:
    """All drift, in every context."""
    found: list[object] = []
    for context in PROJECTING:
        after: str | None = ""
        while after is not None:
            checked = client(DriftChecks, context=context).verify(repair=False, after=after, limit=100)
            found += checked.drifts
            after = checked.next
    return found


def settle() -> None:
    """Marks all events as confirmed: data with events in progress is not compared."""
    for alias in ALL_CONTEXTS:
        OutboxEvent.objects.using(alias).update(state=OutboxEvent.State.CONFIRMED)
