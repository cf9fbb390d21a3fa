"""Handler of uploads: shows the uploader's open pages that one can be used, or could not be read."""

from apps.notifications import actions
from socialapp.contracts.posts import MediaReady
from socialapp.messaging.registry import handles


@handles(MediaReady)
def show_media(event: MediaReady) -> None:
    """Twice is harmless: pages read the media once they know."""
    actions.publish_media_change(
        user_id=event.user_id, media_id=event.media_id, status="ready" if event.is_ready else "failed"
    )
