"""Refuses uploads of media that moderators removed: the same file, and pictures that look the same."""

from apps.posts.actions.media.removal import purge
from apps.posts.actions.removals import remove_as_moderator
from apps.posts.models import Media, Post, RefusedMedia
from socialapp.contracts.moderation import Moderation
from socialapp.core.db import transactional
from socialapp.core.errors import Conflict
from socialapp.core.media.likeness import looks_the_same
from socialapp.core.media.results import ConversionError
from socialapp.rpc.calls import client


def refuse_known(*, content_hash: str, perceptual_hash: str) -> None:
    """ConversionError for a file that moderators have removed before, or a similar picture."""
    for refused in RefusedMedia.objects.all().iterator():
        if refused.content_hash == content_hash:
            raise ConversionError("refused")
        if looks_the_same(first=refused.perceptual_hash, second=perceptual_hash):
            raise ConversionError("refused")


def refuse_media(*, moderator_id: int, media_id: int, reason: str = "") -> None:
    """Removes the post or comment that shows some media, and refuses similar uploads from now on. Idempotent.

    The removal is logged, its author notified, and open to appeal; an accepted appeal ends the refusal. Conflict for
    media that are not ready; Forbidden if the author has the moderator's rank or a higher one.
    """
    media = Media.objects.filter(id=media_id, status=Media.Status.READY).first()
    if media is None:
        raise Conflict("there are no such media, or they are not ready", code="media_not_ready")
    if media.comment_id is not None:
        client(Moderation).remove(
            moderator_id=moderator_id,
            target_type="comment",
            target_id=media.comment_id,
            author_id=media.user_id,
            reason=reason,
        )
        _record_refusal(media_id=media_id)
        return
    post = Post.objects.filter(id=media.post_id).only("id", "user_id").first() if media.post_id else None
    if post is not None:
        remove_as_moderator(moderator_id=moderator_id, post_id=post.id, author_id=post.user_id, reason=reason)
    _record_refusal(media_id=media_id)


@transactional("posts")
def _record_refusal(*, media_id: int) -> None:
    media = Media.objects.select_for_update().filter(id=media_id).first()
    if media is None:
        return
    RefusedMedia.objects.get_or_create(
        media_id=media.id, defaults={"content_hash": media.content_hash, "perceptual_hash": media.perceptual_hash}
    )
    if Media.Place(media.shown_in).is_in_profile:
        purge([media])
        media.shown_in = Media.Place.NOWHERE  # its URLs stop working; the sweep deletes it
        media.save(update_fields=["shown_in"])


@transactional("posts")
def end_refusals(*, comment_id: int) -> None:
    """Ends the refusal of media in a comment that was removed wrongly. Idempotent."""
    shown = Media.objects.filter(comment_id=comment_id).values_list("id", flat=True)
    RefusedMedia.objects.filter(media_id__in=list(shown)).delete()
