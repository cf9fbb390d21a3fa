"""Media: their bodies in the API, and the addresses of their files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from apps.posts.access.media import MODERATORS, OWNER, READERS
from apps.posts.models import Media
from socialapp.core.media import stores
from socialapp.core.media.addresses import path_of, public_url, signed_url
from socialapp.core.media.results import REASONS

Body = dict[str, Any]

_SIZES = ("large", "medium", "small")


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
