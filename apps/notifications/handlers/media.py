"""Handler of uploads: shows the uploader's open pages that one is ready, or failed."""

from apps.notifications import actions
from socialapp.contracts.posts import MediaReady
from socialapp.messaging.registry import handles


@handles(MediaReady)
def show_media(event: MediaReady) -> None:
    """Duplicates are harmless: pages fetch the media when they receive it."""
    actions.publish_media_change(
        user_id=event.user_id, media_id=event.media_id, status="ready" if event.is_ready else "failed"
    )
