"""API bodies of media, and the URLs of their files."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
from django.conf import settings
from django.utils import timezone

from apps.posts.access import MODERATORS, OWNER, READERS, UPLOADER, upload_path
from apps.posts.models import Media, UploadPart
from apps.posts.queries import ShownMedia
from socialapp.contracts.posts import CommentMedia, ReviewedMedia
from socialapp.core.json import rfc3339, to_json
from socialapp.core.media import stores
from socialapp.core.media.addresses import next_expiry, path_of, public_url, signed_query, signed_url
from socialapp.core.media.formats import content_type_of
from socialapp.core.media.results import REASONS

Body = dict[str, Any]

_SIZES = ("large", "medium", "small")


def media_body(media: Media) -> Body:
    """The API's media object, for its owner."""
    audience = None if Media.Place(media.shown_in).is_in_profile else OWNER
    shown = _shown_body(media.shown(), audience=audience, expires=next_expiry())
    return {
        **shown,
        "status": media.status if media.status != Media.Status.UPLOADING else Media.Status.PROCESSING,
        "error": REASONS[media.error] if media.error else None,
        "error_code": media.error or None,
    }


def media_fragment(copies: str, *, audience: str | None) -> orjson.Fragment:
    """The media objects of a post, from the copies that it stores: JSON in, JSON out. Without an audience they are
    public."""
    expires = next_expiry() if audience else 0
    return orjson.Fragment(_rendered(copies, audience, expires, settings.MEDIA_URL))


@lru_cache(maxsize=2048)
def _rendered(copies: str, audience: str | None, expires: int, media_url: str) -> bytes:
    """Cached for all readers: building sixteen URLs per post took half as long as a whole feed without media.

    `expires` and `media_url` are part of the cache key.
    """
    return to_json([_shown_body(media, audience=audience, expires=expires) for media in orjson.loads(copies)])


def comment_media(media: Iterable[Media], *, withheld_ids: Collection[int] = ()) -> list[CommentMedia]:
    """The media of comments; those withheld from everybody but their author have URLs for the author only."""
    expires = next_expiry()
    return [
        CommentMedia(
            comment_id=row.comment_id,
            body=_shown_body(
                row.shown(), audience=OWNER if row.comment_id in withheld_ids else READERS, expires=expires
            ),
        )
        for row in media
        if row.comment_id is not None
    ]


def reviewed_comment_media(media: Iterable[Media]) -> list[ReviewedMedia]:
    """The media of comments, for moderators."""
    return [_reviewed(row.post_id or 0, row.shown()) for row in media]


def reviewed_media(shown: Iterable[ShownMedia]) -> list[ReviewedMedia]:
    """The media of posts, for moderators."""
    return [_reviewed(post_id, media) for post_id, media in shown]


def _reviewed(post_id: int, media: Mapping[str, Any]) -> ReviewedMedia:
    body = _shown_body(media, audience=MODERATORS, expires=next_expiry())
    return ReviewedMedia(
        id=media["id"],
        post_id=post_id,
        kind=body["type"],
        url=body["url"],
        preview_url=body["preview_url"],
        description=body["description"],
    )


def _shown_body(media: Mapping[str, Any], *, audience: str | None, expires: int) -> Body:
    """A media object with public URLs, or with URLs signed for an audience."""

    def url_of(name: str) -> str | None:
        file = media["files"].get(name)
        if file is None:
            return None
        path = path_of(media["id"], digest=file["digest"], extension=file["extension"])
        return public_url(path) if audience is None else signed_url(path, audience=audience, expires=expires)

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
        "error_code": None,
    }


def public_path(shown: Mapping[str, Any]) -> str:
    """The path of the main file of some media."""
    file = shown["files"].get("video") or shown["files"]["large"]
    return path_of(shown["id"], digest=file["digest"], extension=file["extension"])


def profile_picture_url(media: Media) -> str:
    """The public URL of a profile picture, in the smallest size."""
    file = media.files["small"]
    return public_url(path_of(media.id, digest=file["digest"], extension=file["extension"]))


def header_picture_url(media: Media) -> str:
    """The public URL of a profile's header, in the largest size."""
    return public_url(public_path(media.shown()))


def paths_of(media: Media) -> list[str]:
    """The paths of all files of some media."""
    return sorted(
        {path_of(media.id, digest=file["digest"], extension=file["extension"]) for file in media.files.values()}
    )


def upload_body(media: Media, *, sizes: Sequence[int | None] = ()) -> Body:
    """Where to PUT an upload: the store itself if it is a bucket, else this server.

    `sizes` are the sizes of the parts that have arrived.
    """
    content_type = content_type_of(media.file_format)
    expires = timezone.now() + timedelta(seconds=settings.MEDIA_UPLOAD_SECONDS)
    parts = [
        {
            "number": part.number,
            "size": part.size,
            "url": _part_url(media, part, content_type, expires),
            "headers": {"Content-Type": content_type, "Content-Length": str(part.size)},
            "received": index < len(sizes) and sizes[index] == part.size,
        }
        for index, part in enumerate(media.upload_parts())
    ]
    return {
        "id": str(media.id),
        "method": "PUT",
        "url": parts[0]["url"] if media.part_size is None else None,
        "headers": parts[0]["headers"] if media.part_size is None else {},
        "parts": [] if media.part_size is None else parts,
        "expires_at": rfc3339(expires),
    }


def _part_url(media: Media, part: UploadPart, content_type: str, expires: datetime) -> str:
    if stores.is_s3():
        seconds = settings.MEDIA_UPLOAD_SECONDS
        return stores.upload_url(part.name, seconds=seconds, content_type=content_type, size=part.size)
    signed = signed_query(
        upload_path(media.id, number=part.number), audience=UPLOADER, expires=int(expires.timestamp())
    )
    return f"{settings.PUBLIC_URL}/v1/media/{media.id}/content?part={part.number}&{signed}"
