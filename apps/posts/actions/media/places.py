"""Attaches media to posts, comments and profiles."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.posts.actions.media.removal import purge
from apps.posts.models import Media, Post, PostEdit, RefusedMedia, RemovedPost
from socialapp.core.db import transactional
from socialapp.core.errors import Invalid
from socialapp.core.media.addresses import is_url_of

MAX_IMAGES = 4


def attach_media(*, user_id: int, post_id: int, media_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Makes a post show these media, in this order and no others; returns the copies that the post stores of them.

    Joins the caller's transaction. Invalid for media that do not exist, are somebody else's, not ready, in another
    post, or too many. Media that the post no longer shows stay with its earlier versions.
    """
    rows = {
        media.id: media
        for media in Media.objects.select_for_update().filter(id__in=media_ids, user_id=user_id).order_by("id")
    }
    if len(rows) != len(media_ids):
        raise Invalid.of("media_ids", "media_unknown", "You have no such media.")
    for media in rows.values():
        if media.shown_in and (media.shown_in != Media.Place.POST or media.post_id != post_id):
            raise _in_use("media_ids")
        if media.status != Media.Status.READY:
            raise Invalid.of("media_ids", "media_not_ready", "Media can only be used once they are ready.")
    if sum(media.kind != "image" for media in rows.values()) and len(rows) > 1:
        raise Invalid.of("media_ids", "media_too_many", f"A post has up to {MAX_IMAGES} images, or one video.")
    dropped = Media.objects.filter(post_id=post_id, position__isnull=False).exclude(id__in=media_ids)
    purge(dropped)
    dropped.update(position=None)
    for position, media_id in enumerate(media_ids):
        rows[media_id].shown_in = Media.Place.POST
        rows[media_id].post_id, rows[media_id].position = post_id, position
        rows[media_id].save(update_fields=["shown_in", "post_id", "position"])
    return [rows[media_id].shown() for media_id in media_ids]


def use_as_profile_picture(*, user_id: int, media_id: int | None) -> Media | None:
    """Makes an image the profile picture, replacing the previous one; None removes it. Idempotent.

    Invalid for media that do not exist, are somebody else's, not ready, no image, or used elsewhere.
    """
    place, field = Media.Place.PROFILE, "profile_picture_media_id"
    return _use_in_profile(user_id=user_id, media_id=media_id, place=place, field=field)


def use_as_header_picture(*, user_id: int, media_id: int | None) -> Media | None:
    """Makes an image the header of the profile; otherwise like `use_as_profile_picture`."""
    place, field = Media.Place.HEADER, "header_picture_media_id"
    return _use_in_profile(user_id=user_id, media_id=media_id, place=place, field=field)


@transactional("posts")
def _use_in_profile(*, user_id: int, media_id: int | None, place: Media.Place, field: str) -> Media | None:
    if media_id is not None:
        chosen = _own_image(user_id=user_id, media_id=media_id, field=field)
        if chosen.shown_in not in (Media.Place.NOWHERE, place):
            raise _in_use(field)
        chosen.shown_in = place  # what it replaces is released once the profile shows it: the change may still fail
        chosen.save(update_fields=["shown_in"])
        return chosen
    removed = Media.objects.filter(user_id=user_id, shown_in=place)
    purge(removed)
    removed.update(shown_in=Media.Place.NOWHERE)
    return None


def settle_profile_pictures(*, user_id: int, shown: Mapping[str, str]) -> None:
    """Puts the pictures that a profile shows, URLs by place, into their places, and releases those that they replaced.

    The sweep deletes these, a day after the upload or at once. Pictures of a place that shows nothing stay in it, for
    an appeal against the moderator who reset the profile. Joins the caller's transaction. Idempotent.
    """
    places = (Media.Place.NOWHERE, Media.Place.PROFILE, Media.Place.HEADER)
    found = list(Media.objects.select_for_update().filter(user_id=user_id, shown_in__in=places).order_by("id"))
    refused = RefusedMedia.objects.filter(media_id__in=[media.id for media in found])
    kept_out = set(refused.values_list("media_id", flat=True))
    for media in found:
        place = next((place for place, url in shown.items() if is_url_of(url, media_id=media.id)), None)
        if place is None and media.shown_in:
            purge([media])
            place = Media.Place.NOWHERE if media.shown_in in shown else None
        if place not in (None, media.shown_in) and media.id not in kept_out:
            media.shown_in = place
            media.save(update_fields=["shown_in"])


@transactional("posts")
def use_in_comment(*, user_id: int, post_id: int, comment_id: int, media_id: int) -> Media:
    """Reserves an image for a comment that is about to be written. Idempotent. Invalid as for profiles."""
    media = _own_image(user_id=user_id, media_id=media_id, field="media_ids")
    if media.shown_in and media.comment_id != comment_id:
        raise _in_use("media_ids")
    media.shown_in, media.post_id, media.comment_id = Media.Place.COMMENT, post_id, comment_id
    media.save(update_fields=["shown_in", "post_id", "comment_id"])
    return media


@transactional("posts")
def release_from_comment(*, comment_id: int) -> None:
    """Releases the image of a comment that was not written after all. Idempotent."""
    shown = Media.objects.filter(comment_id=comment_id)
    shown.update(shown_in=Media.Place.NOWHERE, post_id=None, comment_id=None)


def _own_image(*, user_id: int, media_id: int, field: str) -> Media:
    media = Media.objects.select_for_update().filter(id=media_id, user_id=user_id).first()
    if media is None:
        raise Invalid.of(field, "media_unknown", "You have no such media.")
    if media.status != Media.Status.READY or media.kind != "image":
        raise Invalid.of(field, "media_not_ready", "This must be an image that is ready.")
    return media


def _in_use(field: str) -> Invalid:
    return Invalid.of(field, "media_in_use", "Media can be shown in one place only.")


def refresh_copies(*, media: Media, post_id: int, history: bool = False) -> None:
    """Updates the copy that a post stores of some media, and with `history` those in its earlier versions.

    Joins the caller's transaction.
    """
    for model in (Post, RemovedPost):
        for post in model._default_manager.select_for_update().filter(id=post_id):
            post.media = _renewed(post.media, media)
            post.save(update_fields=["media"])
    for edit in PostEdit.objects.select_for_update().filter(post_id=post_id, media__isnull=False) if history else ():
        edit.media = _renewed(edit.media, media)
        edit.save(update_fields=["media"])


def _renewed(copies: list[dict[str, Any]] | None, media: Media) -> list[dict[str, Any]]:
    return [media.shown() if shown["id"] == media.id else shown for shown in copies or []]
