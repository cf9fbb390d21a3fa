"""Uploads, descriptions and deletion of one's own media."""

import tempfile
from collections.abc import Container
from dataclasses import dataclass
from typing import IO

from django.conf import settings
from django.utils import timezone

from apps.posts.access import check_quota, media_to_upload, no_such_media, own_media, refuse_description
from apps.posts.actions.media.places import refresh_copies
from apps.posts.actions.media.removal import delete_media_rows
from apps.posts.models import Media
from socialapp.contracts.posts import MediaDescribed
from socialapp.core.db import transactional
from socialapp.core.errors import Conflict, Forbidden, Invalid, NotFound, require_version, store_unavailable
from socialapp.core.ids import new_id
from socialapp.core.media import stores
from socialapp.core.media.formats import CONTENT_TYPES, HEAD_BYTES, VIDEOS, detect
from socialapp.lifecycle.removal import deleted_among
from socialapp.messaging.periodic import run_after_commit
from socialapp.messaging.publish import publish

_CHUNK = 2**18


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file, with its format according to its first bytes."""

    file_format: str
    size: int
    content: IO[bytes]


def accepted_format(head: bytes, *, size: int) -> str:
    """The format of a file that begins with `head`; Invalid if it is not supported, or too large for its kind."""
    file_format = detect(head)
    if file_format is None:
        detail = "Pictures must be JPEG, PNG, WebP, GIF, AVIF or HEIC; videos MP4, MOV or WebM."
        raise Invalid.of("file", "media_unsupported", detail)
    refuse_size(file_format=file_format, size=size, field="file")
    return file_format


def refuse_size(*, file_format: str, size: int, field: str) -> None:
    """Invalid if a file is too large for its kind."""
    most = settings.MEDIA_MAX_VIDEO_BYTES if file_format in VIDEOS else settings.MEDIA_MAX_IMAGE_BYTES
    if size > most:
        raise Invalid.of(field, "media_too_large", f"At most {most // 2**20} MB.")


def store_upload(upload: Upload) -> int:
    """Puts an upload into the store; returns the id for its media."""
    media_id = new_id()
    stores.save(Media(id=media_id).upload_name, content=upload.content)
    return media_id


@transactional("posts")
def create_media(*, media_id: int, user_id: int, upload: Upload, description: str) -> Media:
    """Creates the row of an upload that is in the store, to be processed soon.

    Forbidden for an erased author, TooMany if the daily quota is used up.
    """
    if deleted_among("posts", ids=[user_id]):
        raise Forbidden("this account may not upload media", code="account_not_active")
    check_quota(user_id=user_id, size=upload.size)
    media = Media(
        id=media_id,
        user_id=user_id,
        status=Media.Status.PROCESSING,
        kind=_expected_kind(upload.file_format),
        description=description,
        file_format=upload.file_format,
        size=upload.size,
        created_at=timezone.now(),
    )
    media.save(force_insert=True)
    process_soon()
    return media


@transactional("posts")
def begin_upload(
    *, media_id: int, user_id: int, content_type: str, size: int, description: str, resumable: bool
) -> Media:
    """Creates media whose file is uploaded straight to the store, in parts if `resumable`.

    Raises like `create_media`.
    """
    if deleted_among("posts", ids=[user_id]):
        raise Forbidden("this account may not upload media", code="account_not_active")
    file_format = CONTENT_TYPES[content_type]
    refuse_size(file_format=file_format, size=size, field="size")
    check_quota(user_id=user_id, size=size)
    media = Media(
        id=media_id,
        user_id=user_id,
        status=Media.Status.UPLOADING,
        kind=_expected_kind(file_format),
        description=description,
        file_format=file_format,
        size=size,
        part_size=settings.MEDIA_PART_BYTES if resumable else None,
        created_at=timezone.now(),
    )
    media.save(force_insert=True)
    return media


def open_upload(*, user_id: int, media_id: int) -> Media:
    """Somebody's own media whose upload is in progress. Conflict if it is completed."""
    media = own_media(user_id=user_id, media_id=media_id)
    _refuse_completed(media)
    return media


def _refuse_completed(media: Media) -> None:
    if media.status != Media.Status.UPLOADING:
        raise Conflict("this upload is already completed", code="upload_completed")


def receive_content(*, media_id: int, number: str, expires: str, signature: str, content: IO[bytes]) -> None:
    """Streams a part of an upload from the request body into the store.

    NotFound if the URL is not valid or the upload has no such part, Conflict if the upload is completed, Invalid if
    the part's length differs from the announced one, Unavailable if the disk is full.
    """
    media = media_to_upload(media_id=media_id, number=number, expires=expires, signature=signature)
    _refuse_completed(media)
    parts = {str(part.number): part for part in media.upload_parts()}
    part = parts.get(number)
    if part is None:
        raise NotFound("the upload has no such part")
    try:
        with tempfile.TemporaryFile() as file:
            if _copy(content, file, most=part.size + 1) != part.size:
                detail = "The length of the file differs from the announced one."
                raise Invalid.of("size", "upload_size_differs", detail)
            file.seek(0)
            stores.save(part.name, content=file)
    except OSError as error:
        raise store_unavailable() from error


def _copy(source: IO[bytes], target: IO[bytes], *, most: int) -> int:
    """Copies at most this many bytes; returns how many there were."""
    left = most
    while left and (chunk := source.read(min(left, _CHUNK))):
        left -= len(chunk)
        target.write(chunk)
    return most - left


def complete_upload(*, user_id: int, media_id: int) -> Media:
    """Queues an upload that has arrived in the store for processing. Idempotent.

    Conflict if it has not arrived, or with another length; Invalid if it is not of the declared type.
    """
    media = own_media(user_id=user_id, media_id=media_id)
    if media.status == Media.Status.UPLOADING:
        parts, sizes = media.upload_parts(), sizes_in_store(media)
        if None in sizes:
            raise Conflict("the file has not been uploaded yet", code="upload_missing")
        if sizes != [part.size for part in parts]:
            raise Conflict("the length of the file differs from the announced one", code="upload_size_differs")
        if detect(stores.read_head(parts[0].name, length=HEAD_BYTES)) != media.file_format:
            raise Invalid.of(
                "content_type", "media_unsupported", "The type of the file differs from the announced one."
            )
    return _start_processing(user_id=user_id, media_id=media_id)


def sizes_in_store(media: Media) -> list[int | None]:
    """The bytes that have arrived of each part of an upload, in order; None for a part that has not."""
    return [_size_in_store(part.name) for part in media.upload_parts()]


def _size_in_store(name: str) -> int | None:
    try:
        return stores.size_of(name)
    except FileNotFoundError:
        return None


@transactional("posts")
def _start_processing(*, user_id: int, media_id: int) -> Media:
    media = _locked_media(user_id, media_id)
    if media.status == Media.Status.UPLOADING:
        media.status = Media.Status.PROCESSING
        media.version += 1
        media.save(update_fields=["status", "version"])
        process_soon()
    return media


def _expected_kind(file_format: str) -> str:
    return "video" if file_format in VIDEOS else "image"


def process_soon() -> None:
    """Starts the conversion once the open transaction has committed."""
    run_after_commit("posts", task="posts.process_waiting_media")


def describe_media(*, user_id: int, media_id: int, description: str, expected_versions: Container[int] | None) -> Media:
    """Changes the description of one's media, also in the post that shows them.

    NotFound for anybody else's, Stale unless their version is one of `expected_versions`; raises like
    `refuse_description`, too. Makes calls, so not for use inside a transaction.
    """
    media = own_media(user_id=user_id, media_id=media_id)
    if media.description != description:
        refuse_description(media=media, description=description)
    return _write_description(
        user_id=user_id, media_id=media_id, description=description, expected_versions=expected_versions
    )


@transactional("posts")
def _write_description(
    *, user_id: int, media_id: int, description: str, expected_versions: Container[int] | None
) -> Media:
    media = _locked_media(user_id, media_id, expected_versions)
    if media.description != description:
        media.description = description
        media.version += 1
        media.save(update_fields=["description", "version"])
        if media.shown_in == Media.Place.POST and media.post_id is not None:
            refresh_copies(media=media, post_id=media.post_id)
        if media.post_id is not None:
            publish(
                MediaDescribed(media_id=media_id, user_id=user_id, post_id=media.post_id, comment_id=media.comment_id)
            )
    return media


@transactional("posts")
def delete_media(*, user_id: int, media_id: int, expected_versions: Container[int] | None) -> None:
    """Deletes one's media; Conflict while a post or the profile shows them, else raises like `describe_media`."""
    media = _locked_media(user_id, media_id, expected_versions)
    if media.shown_in:
        raise Conflict("a post or your profile shows these media; remove them there first", code="media_in_use")
    delete_media_rows([media])


def _locked_media(user_id: int, media_id: int, expected_versions: Container[int] | None = None) -> Media:
    media = Media.objects.select_for_update().filter(id=media_id, user_id=user_id).first()
    if media is None:
        raise no_such_media()
    require_version(media.version, expected=expected_versions, detail="the media have changed since you read them")
    return media
