"""Media: their bodies in the API, and which file of the store is behind an address."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db.models import Count, Sum
from django.utils import timezone

from apps.posts.models import Media
from apps.posts.queries.access import load_visibility
from socialapp.core.errors import NotFound, TooMany
from socialapp.core.media import stores
from socialapp.core.media.addresses import path_of, public_url, seconds_left, signed_url
from socialapp.core.media.results import REASONS
from socialapp.core.sql import select

Body = dict[str, Any]

MAX_DESCRIPTION = 1500
_SIZES = ("large", "medium", "small")
# Whom a signed address is for: when that changes, the address no longer holds.
OWNER, READERS, MODERATORS = "owner", "readers", "moderators"


def own_media(user_id: int, media_id: int) -> Media:
    """Somebody's own media; NotFound for anybody else's."""
    media = Media.objects.filter(id=media_id, user_id=user_id).first()
    if media is None:
        raise no_such_media()
    return media


def no_such_media() -> NotFound:
    """The refusal of media that are absent or somebody else's."""
    return NotFound("there is no such media of yours", code="media_not_found")


def check_quota(user_id: int, *, size: int) -> None:
    """TooMany when another upload of `size` bytes would exceed what one person may upload in a day."""
    since = timezone.now() - timedelta(days=1)
    used = Media.objects.filter(user_id=user_id, created_at__gt=since).aggregate(files=Count("id"), bytes=Sum("size"))
    if used["files"] >= settings.MEDIA_DAILY_FILES or (used["bytes"] or 0) + size > settings.MEDIA_DAILY_BYTES:
        raise TooMany("you have uploaded as much as one may in a day", code="media_quota_reached", retry_after=3600)


def waiting_media(*, limit: int) -> list[int]:
    """Media that wait for being processed, claimed by nobody, the longest waiting first."""
    waiting = Media.objects.filter(status=Media.Status.PROCESSING).exclude(claimed_until__gt=timezone.now())
    return list(waiting.order_by("id").values_list("id", flat=True)[:limit])


def claimed_media() -> int:
    """How many media are being processed, by whomever."""
    return Media.objects.filter(status=Media.Status.PROCESSING, claimed_until__gt=timezone.now()).count()


def media_body(media: Media) -> Body:
    """The API's media object, for its owner."""
    audience = OWNER if media.post_id is None else READERS
    shown = _shown_body(media.shown(), audience=None if media.shown_in == Media.Place.PROFILE else audience)
    return {
        **shown,
        "status": media.status if media.status != Media.Status.UPLOADING else Media.Status.PROCESSING,
        "error": REASONS[media.error] if media.error else None,
    }


def post_media_bodies(shown: Iterable[Mapping[str, Any]], *, is_public: bool) -> list[Body]:
    """The media objects of a post, from the copy that it keeps of them."""
    return [_shown_body(media, audience=None if is_public else READERS) for media in shown]


def moderation_media_bodies(shown: Iterable[Mapping[str, Any]]) -> list[Body]:
    """The media objects of a post that was removed, for moderators."""
    return [_shown_body(media, audience=MODERATORS) for media in shown]


def _shown_body(media: Mapping[str, Any], *, audience: str | None) -> Body:
    """A media object with public addresses, or with addresses signed for an audience."""

    def url_of(name: str) -> str | None:
        file = media["files"].get(name)
        if file is None:
            return None
        path = path_of(media["id"], digest=file["digest"], extension=file["extension"])
        return public_url(path) if audience is None else signed_url(path, audience=audience)

    files = media["files"]
    return {
        "id": str(media["id"]),
        "type": media["kind"],
        "status": "ready",
        "url": url_of("video" if "video" in files else "large"),
        "preview_url": url_of("small"),
        "sizes": {
            name: {"url": url_of(name), "width": files[name]["width"], "height": files[name]["height"]}
            for name in _SIZES
            if name in files
        },
        "width": media["width"],
        "height": media["height"],
        "duration": None if media["duration_ms"] is None else media["duration_ms"] / 1000,
        "blurhash": media["blurhash"] or None,
        "color": media["color"] or None,
        "description": media["description"],
        "error": None,
    }


def public_path(shown: Mapping[str, Any]) -> str:
    """The path of what is shown first of some media."""
    file = shown["files"].get("video") or shown["files"]["large"]
    return path_of(shown["id"], digest=file["digest"], extension=file["extension"])


def profile_picture_url(media: Media) -> str:
    """Where anybody finds a profile picture, in the smallest size."""
    file = media.files["small"]
    return public_url(path_of(media.id, digest=file["digest"], extension=file["extension"]))


def paths_of(media: Media) -> list[str]:
    """The paths of all files of some media."""
    return sorted(
        {path_of(media.id, digest=file["digest"], extension=file["extension"]) for file in media.files.values()}
    )


@dataclass(frozen=True, slots=True)
class MediaTarget:
    """Where an upload is to be PUT, and with which headers."""

    url: str
    headers: dict[str, str]


def upload_target(media: Media, *, content_type: str) -> MediaTarget:
    """Where to upload the file of some media: the store itself if it is a bucket, else this server."""
    seconds = settings.MEDIA_UPLOAD_SECONDS
    headers = {"Content-Type": content_type, "Content-Length": str(media.size)}
    if stores.is_s3():
        url = stores.upload_url(media.upload_name, seconds=seconds, content_type=content_type, size=media.size)
        return MediaTarget(url, headers)
    return MediaTarget(f"{settings.PUBLIC_URL}/v1/media/{media.id}/content", headers)


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A file that may be sent; `seconds` is for how long its address still holds, None for ever."""

    name: str
    content_type: str
    seconds: int | None


_FILE_SQL = (
    "SELECT m.user_id, m.shown_in, m.position, m.post_id, m.files, p.is_private, w.id"
    " FROM media m LEFT JOIN posts p ON p.id = m.post_id LEFT JOIN withdrawn_posts w ON w.id = m.post_id"
    " WHERE m.id = %s AND m.status = 'ready'"
)


def served_file(*, media_id: int, file_name: str, expires: str, signature: str) -> ServedFile:
    """The file behind an address; NotFound when there is none, or when it may not be seen with this address.

    Without a signature only what anybody may see is found: that is asked anew each time, so that the address of media
    that are no longer public stops answering. One query, and for public media one call.
    """
    rows = select(Media, _FILE_SQL, [media_id])
    if not rows:
        raise no_such_file()
    user_id, shown_in, position, post_id, files, is_private, removed_id = rows[0]
    path = f"{media_id}/{file_name}"
    for file in orjson.loads(files).values():
        if path == path_of(media_id, digest=file["digest"], extension=file["extension"]):
            break
    else:
        raise no_such_file()
    seconds = None
    if signature:
        audience = OWNER if post_id is None else MODERATORS if removed_id else READERS
        seconds = seconds_left(path, audience=audience, expires=expires, signature=signature)
        if seconds is None:
            raise no_such_file()
    else:
        in_public_post = is_private is not None and not is_private and position is not None
        if not (in_public_post or shown_in == Media.Place.PROFILE):
            raise no_such_file()
        author = load_visibility(None, [user_id]).authors.get(user_id)
        if author is None or not author.active or (author.is_private and shown_in != Media.Place.PROFILE):
            raise no_such_file()
    extension = file["extension"]
    return ServedFile(stores.file_name(file["digest"], extension), stores.CONTENT_TYPES[extension], seconds)


def no_such_file() -> NotFound:
    """The refusal of an address that is wrong, over, or no longer public."""
    return NotFound("there is no such file, or its address no longer holds", code="media_not_found")
