"""Media: whose they are, how many one may upload, and who may see their files."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from apps.posts.access.visibility import load_visibility
from apps.posts.models import Media
from apps.posts.queries import MediaPlace, media_by_id, media_of, media_place, uploaded_since
from socialapp.contracts.comments import Comments
from socialapp.core.errors import NotFound, TooMany
from socialapp.core.media import stores
from socialapp.core.media.addresses import path_of, seconds_left
from socialapp.rpc.calls import client

MAX_DESCRIPTION = 1500
# Whom a signed address is for: when that changes, the address is no longer valid.
OWNER, READERS, MODERATORS, UPLOADER = "owner", "readers", "moderators", "uploader"


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A file that may be sent; `seconds` is for how long its address is still valid, None for ever."""

    name: str
    content_type: str
    seconds: int | None


def own_media(*, user_id: int, media_id: int) -> Media:
    """Somebody's own media; NotFound for anybody else's."""
    media = media_of(user_id=user_id, media_id=media_id)
    if media is None:
        raise no_such_media()
    return media


def no_such_media() -> NotFound:
    """The refusal of media that are absent or somebody else's."""
    return NotFound("there is no such media of yours")


def upload_path(media_id: int, *, number: int | str) -> str:
    """What the address of a part of an upload is signed for, where this server is the store."""
    return f"uploads/{media_id}/{number}"


def media_to_upload(*, media_id: int, number: str, expires: str, signature: str) -> Media:
    """The media that an address takes a part of; NotFound when it is not an address of ours, or expired.

    Whoever has the address may upload, as with the address of a bucket.
    """
    path = upload_path(media_id, number=number)
    holds = seconds_left(path, audience=UPLOADER, expires=expires, signature=signature) is not None
    media = media_by_id(media_id) if holds else None
    if media is None:
        raise NotFound("this address takes no upload, or no longer")
    return media


def check_quota(*, user_id: int, size: int) -> None:
    """TooMany when another upload of `size` bytes would exceed what one person may upload in a day."""
    used = uploaded_since(user_id=user_id, since=timezone.now() - timedelta(days=1))
    if used.files >= settings.MEDIA_DAILY_FILES or used.size + size > settings.MEDIA_DAILY_BYTES:
        raise TooMany("you have uploaded as much as one may in a day", code="media_quota_reached", retry_after=3600)


def served_file(*, media_id: int, file_name: str, expires: str, signature: str) -> ServedFile:
    """The file behind an address; NotFound when there is none, or when it may not be seen with this address.

    Without a signature only what anybody may see is found: that is asked again each time, so that the address of media
    that are no longer public stops answering. One query, and for public media one call.
    """
    place = media_place(media_id=media_id)
    if place is None:
        raise no_such_file()
    path = f"{media_id}/{file_name}"
    for file in place.files.values():
        if path == path_of(media_id, digest=file["digest"], extension=file["extension"]):
            break
    else:
        raise no_such_file()
    seconds = None
    if signature:
        left = (
            seconds_left(path, audience=audience, expires=expires, signature=signature)
            for audience in _audiences(place)
        )
        seconds = next((number for number in left if number is not None), None)
        if seconds is None:
            raise no_such_file()
    elif not _is_public(place):
        raise no_such_file()
    extension = file["extension"]
    return ServedFile(stores.file_name(file["digest"], extension=extension), stores.CONTENT_TYPES[extension], seconds)


def _audiences(place: MediaPlace) -> tuple[str, ...]:
    """Whose signed addresses hold at present. A call for what is shown in a comment."""
    if place.post_id is None:
        return (OWNER,)
    if place.comment_id is None:
        return (MODERATORS,) if place.is_in_removed_post else (READERS, OWNER)
    if place.is_in_removed_post or not client(Comments).documents(comment_ids=[place.comment_id]):
        return (MODERATORS, OWNER)  # its author still sees what moderators have only hidden
    return (MODERATORS, READERS, OWNER)


def _is_public(place: MediaPlace) -> bool:
    """Whether anybody may see these media: in a profile, or in a public post of a public account.

    In comments they have signed addresses only.
    """
    in_profile = Media.Place(place.shown_in).is_in_profile
    if not (place.is_in_public_post or in_profile):
        return False
    author = load_visibility(viewer_id=None, author_ids=[place.user_id]).authors.get(place.user_id)
    return author is not None and author.active and (in_profile or not author.is_private)


def no_such_file() -> NotFound:
    """The refusal of an address that is wrong, over, or no longer public."""
    return NotFound("there is no such file, or its address no longer holds")
