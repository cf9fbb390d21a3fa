"""Uploading, processing, attaching and deleting media, and the count of what uses each file of the store.

A file is put into the store before the row that uses it is written, and removed after the last row that used it is
gone: killed in between, a process leaves at most a file that the sweep finds.
"""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import structlog
from celery import current_app
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from apps.posts.models import Media, MediaPurge, Post, RefusedMedia, StoredFile, WithdrawnPost
from apps.posts.queries.media import check_quota, claimed_media, no_such_media, own_media, paths_of, waiting_media
from socialapp.core import outgoing
from socialapp.core.db import after_commit, transactional
from socialapp.core.errors import Conflict, Forbidden, Invalid, Unavailable
from socialapp.core.ids import new_id
from socialapp.core.media import stores
from socialapp.core.media.convert import convert
from socialapp.core.media.formats import HEAD_BYTES, VIDEOS, detect
from socialapp.core.media.images import distance
from socialapp.core.media.results import ConversionError, ConvertedMedia, digest_of
from socialapp.core.outgoing import OutgoingError
from socialapp.lifecycle.removal import gone_among

log = structlog.get_logger()

MAX_IMAGES = 4
# Types that an upload may be declared to be, with the format that its first bytes must then show.
CONTENT_TYPES = {
    "image/jpeg": "jpeg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/avif": "avif",
    "image/heic": "heic",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
}
_CLAIM = timedelta(seconds=60)
_ATTEMPTS = 3
_UNUSED_FILE = timedelta(minutes=10)
_SAME_PICTURE = 31  # bits of a perceptual hash in which pictures that look alike may differ
_STEP = 200
_CHUNK = 2**18
_PURGE_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody sent, and what it is by its first bytes."""

    file_format: str
    size: int
    content: IO[bytes]


def accepted_format(head: bytes, *, size: int) -> str:
    """The format of a file that begins with `head`; Invalid when it is not taken, or too large for what it is."""
    file_format = detect(head)
    if file_format is None:
        detail = "Pictures may be JPEG, PNG, WebP, GIF, AVIF or HEIC; videos MP4, MOV or WebM."
        raise Invalid.of("file", "media_unsupported", detail)
    refuse_size(file_format, size, field="file")
    return file_format


def refuse_size(file_format: str, size: int, *, field: str) -> None:
    """Invalid when a file is too large for what it is."""
    most = settings.MEDIA_MAX_VIDEO_BYTES if file_format in VIDEOS else settings.MEDIA_MAX_IMAGE_BYTES
    if size > most:
        raise Invalid.of(field, "media_too_large", f"At most {most // 2**20} MB.")


def store_upload(upload: Upload) -> int:
    """Puts an upload into the store, and answers the id that its media are to have."""
    media_id = new_id()
    stores.save(Media(id=media_id).upload_name, upload.content)
    return media_id


@transactional("posts")
def create_media(*, media_id: int, user_id: int, upload: Upload, description: str) -> Media:
    """Makes media of an upload that is in the store; they are processed soon after.

    Forbidden for an erased author, TooMany when the day's quota is used up.
    """
    if gone_among("posts", [user_id]):
        raise Forbidden("this account may not upload media", code="account_not_active")
    check_quota(user_id, size=upload.size)
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
    _process_soon()
    return media


@transactional("posts")
def begin_upload(*, media_id: int, user_id: int, content_type: str, size: int, description: str) -> Media:
    """Makes media whose file is to be uploaded straight to the store. Raises as `create_media` does."""
    if gone_among("posts", [user_id]):
        raise Forbidden("this account may not upload media", code="account_not_active")
    file_format = CONTENT_TYPES[content_type]
    refuse_size(file_format, size, field="size")
    check_quota(user_id, size=size)
    media = Media(
        id=media_id,
        user_id=user_id,
        status=Media.Status.UPLOADING,
        kind=_expected_kind(file_format),
        description=description,
        file_format=file_format,
        size=size,
        created_at=timezone.now(),
    )
    media.save(force_insert=True)
    return media


def receive_content(*, user_id: int, media_id: int, content: IO[bytes]) -> None:
    """Puts the file of an upload into the store, from a request whose body is read as it comes in.

    Conflict when the upload is completed, Invalid when it is longer or shorter than announced.
    """
    media = own_media(user_id, media_id)
    if media.status != Media.Status.UPLOADING:
        raise Conflict("this upload is completed", code="upload_completed")
    with tempfile.TemporaryFile() as file:
        left = media.size + 1
        while left and (chunk := content.read(min(left, _CHUNK))):
            left -= len(chunk)
            file.write(chunk)
        if left != 1:
            raise Invalid.of("size", "upload_size_differs", "The file has another length than was announced.")
        file.seek(0)
        stores.save(media.upload_name, file)


def complete_upload(*, user_id: int, media_id: int) -> Media:
    """Has an upload processed that has arrived in the store. Idempotent.

    Conflict when nothing, or something of another length, has arrived; Invalid when it is not what was declared.
    """
    media = own_media(user_id, media_id)
    if media.status == Media.Status.UPLOADING:
        try:
            size = stores.size_of(media.upload_name)
            head = stores.read_head(media.upload_name, HEAD_BYTES)
        except FileNotFoundError:
            raise Conflict("the file has not been uploaded yet", code="upload_missing") from None
        if size != media.size:
            raise Conflict("the file has another length than was announced", code="upload_size_differs")
        if detect(head) != media.file_format:
            raise Invalid.of("content_type", "media_unsupported", "The file is not of the type that was announced.")
    return _start_processing(user_id=user_id, media_id=media_id)


@transactional("posts")
def _start_processing(*, user_id: int, media_id: int) -> Media:
    media = _locked_media(user_id, media_id)
    if media.status == Media.Status.UPLOADING:
        media.status = Media.Status.PROCESSING
        media.version += 1
        media.save(update_fields=["status", "version"])
        _process_soon()
    return media


def _expected_kind(file_format: str) -> str:
    return "video" if file_format in VIDEOS else "image"


def _process_soon() -> None:
    after_commit("posts", _ask_to_process)


def _ask_to_process() -> None:
    try:
        current_app.send_task("posts.process_waiting_media", retry=False)
    except Exception as error:  # brokers raise all sorts; the periodic task finds the media too
        log.warning("media.not_asked", error=repr(error))


@transactional("posts")
def describe_media(*, user_id: int, media_id: int, description: str) -> Media:
    """Gives one's media another description, in the post that shows them too. NotFound for anybody else's."""
    media = _locked_media(user_id, media_id)
    if media.description != description:
        media.description = description
        media.version += 1
        media.save(update_fields=["description", "version"])
        if media.post_id is not None:
            _refresh_copies(media, media.post_id)
    return media


@transactional("posts")
def delete_media(*, user_id: int, media_id: int) -> None:
    """Deletes one's media; Conflict while a post or the profile shows them, NotFound for anybody else's."""
    media = _locked_media(user_id, media_id)
    if media.shown_in:
        raise Conflict("a post or your profile shows this; take it out there first", code="media_in_use")
    delete_media_rows([media])


def _locked_media(user_id: int, media_id: int) -> Media:
    media = Media.objects.select_for_update().filter(id=media_id, user_id=user_id).first()
    if media is None:
        raise no_such_media()
    return media


def _refresh_copies(media: Media, post_id: int) -> None:
    for model in (Post, WithdrawnPost):
        for post in model._default_manager.select_for_update().filter(id=post_id):
            post.media = [media.shown() if shown["id"] == media.id else shown for shown in post.media or []]
            post.save(update_fields=["media"])


# --- Processing -------------------------------------------------------------------------------------------------


def process_waiting_media() -> None:
    """Processes what waits, one after the other, as long as fewer than MEDIA_PARALLEL are being processed."""
    for media_id in waiting_media(limit=_STEP):
        if claimed_media() >= settings.MEDIA_PARALLEL:
            return
        process_media(media_id=media_id)


def process_media(*, media_id: int) -> None:
    """Converts an upload and makes its media ready, or failed with a reason. Idempotent.

    Done by whoever claims it; a claim ends by itself, so that what a killed process left is done by the next.
    """
    media = _claim(media_id=media_id)
    if media is None:
        return
    try:
        with tempfile.TemporaryDirectory(prefix="media-") as folder:
            source = Path(folder) / "source"
            stores.fetch(media.upload_name, source)
            content_hash = digest_of(source)
            converted = convert(
                source, media.file_format, Path(folder), heartbeat=lambda: _extend_claim(media_id, media.attempts)
            )
            _refuse_known(content_hash, converted.perceptual_hash)
            _store_files(converted, Path(folder))
            finish_media(media_id=media_id, attempt=media.attempts, content_hash=content_hash, converted=converted)
    except ConversionError as error:
        fail_media(media_id=media_id, attempt=media.attempts, code=error.code)
    except FileNotFoundError:
        fail_media(media_id=media_id, attempt=media.attempts, code="damaged")
    except _ClaimLost:
        log.info("media.claim_lost", media_id=media_id)
    except Unavailable as error:
        log.warning("media.store_away", media_id=media_id, error=str(error))
        _give_back(media_id=media_id, attempt=media.attempts)


class _ClaimLost(Exception):
    """Somebody else processes the media now, or nobody needs to any more."""


@transactional("posts")
def _claim(*, media_id: int) -> Media | None:
    media = Media.objects.select_for_update().filter(id=media_id, status=Media.Status.PROCESSING).first()
    now = timezone.now()
    if media is None or (media.claimed_until is not None and media.claimed_until > now):
        return None
    if media.attempts >= _ATTEMPTS:
        _mark_failed(media, "too_slow")
        return None
    media.attempts += 1
    media.claimed_until = now + _CLAIM
    media.save(update_fields=["attempts", "claimed_until"])
    return media


def _extend_claim(media_id: int, attempt: int) -> None:
    claimed = Media.objects.filter(id=media_id, status=Media.Status.PROCESSING, attempts=attempt)
    if not claimed.update(claimed_until=timezone.now() + _CLAIM):
        raise _ClaimLost


@transactional("posts")
def _give_back(*, media_id: int, attempt: int) -> None:
    """Ends a claim without counting the try: the store was away, which is not the file's fault."""
    claimed = Media.objects.filter(id=media_id, status=Media.Status.PROCESSING, attempts=attempt)
    claimed.update(claimed_until=timezone.now() + timedelta(seconds=10), attempts=attempt - 1)


def _refuse_known(content_hash: str, perceptual_hash: str) -> None:
    """ConversionError for what moderators have removed before, or what looks like it."""
    for refused in RefusedMedia.objects.all().iterator():
        if refused.content_hash == content_hash:
            raise ConversionError("refused")
        if refused.perceptual_hash and distance(refused.perceptual_hash, perceptual_hash) <= _SAME_PICTURE:
            raise ConversionError("refused")


def _store_files(converted: ConvertedMedia, folder: Path) -> None:
    distinct = {file.digest: file for file in converted.files.values()}
    for file in distinct.values():
        extension = file.path.rpartition(".")[2]
        _reserve_file(digest=file.digest, extension=extension, size=file.size)
        with (folder / file.path).open("rb") as content:
            stores.save(stores.file_name(file.digest, extension), content, content_type=file.content_type)


@transactional("posts")
def _reserve_file(*, digest: str, extension: str, size: int) -> None:
    """Keeps a file that nothing uses yet from being removed for a while."""
    now = timezone.now()
    StoredFile.objects.get_or_create(
        digest=digest, defaults={"extension": extension, "size": size, "unused_since": now}
    )
    StoredFile.objects.filter(digest=digest, uses=0).update(unused_since=now)


def _use_file(*, digest: str, extension: str, size: int) -> None:
    StoredFile.objects.get_or_create(digest=digest, defaults={"extension": extension, "size": size})
    StoredFile.objects.filter(digest=digest).update(uses=F("uses") + 1, unused_since=None)


@transactional("posts")
def finish_media(*, media_id: int, attempt: int, content_hash: str, converted: ConvertedMedia) -> None:
    """Makes media ready; nothing when they are gone or claimed by another meanwhile."""
    media = Media.objects.select_for_update().filter(id=media_id).first()
    if media is None or media.status != Media.Status.PROCESSING or media.attempts != attempt:
        return
    media.files = {
        name: {
            "digest": file.digest,
            "extension": file.path.rpartition(".")[2],
            "width": file.width,
            "height": file.height,
        }
        for name, file in converted.files.items()
    }
    media.status, media.kind, media.claimed_until = Media.Status.READY, converted.kind, None
    media.width, media.height, media.duration_ms = converted.width, converted.height, converted.duration_ms
    media.blurhash, media.color = converted.blurhash, converted.color
    media.content_hash, media.perceptual_hash = content_hash, converted.perceptual_hash
    media.version += 1
    media.save()
    for file in {file.digest: file for file in converted.files.values()}.values():
        _use_file(digest=file.digest, extension=file.path.rpartition(".")[2], size=file.size)
    after_commit("posts", lambda: _delete_upload(media))


@transactional("posts")
def fail_media(*, media_id: int, attempt: int, code: str) -> None:
    """Marks media as failed; nothing when they are claimed by another meanwhile."""
    media = Media.objects.select_for_update().filter(id=media_id, status=Media.Status.PROCESSING).first()
    if media is not None and media.attempts == attempt:
        _mark_failed(media, code)


def _mark_failed(media: Media, code: str) -> None:
    media.status, media.error, media.claimed_until = Media.Status.FAILED, code, None
    media.version += 1
    media.save()
    after_commit("posts", lambda: _delete_upload(media))


def _delete_upload(media: Media) -> None:
    try:
        stores.delete(media.upload_name)
    except Unavailable as error:
        log.warning("media.upload_left", media_id=media.id, error=str(error))  # the sweep removes it


# --- In posts and profiles ----------------------------------------------------------------------------------------


def attach_media(*, user_id: int, post_id: int, media_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Shows media in a post, in this order and no others; the copies that the post keeps of them.

    Joins the caller's transaction. Invalid for media that are absent, somebody else's, not ready, in another post, or
    too many of them. What the post no longer shows stays with its earlier versions.
    """
    rows = {
        media.id: media
        for media in Media.objects.select_for_update().filter(id__in=media_ids, user_id=user_id).order_by("id")
    }
    if len(rows) != len(media_ids):
        raise Invalid.of("media_ids", "media_unknown", "There is no such media of yours.")
    for media in rows.values():
        if media.shown_in and media.post_id != post_id:
            raise Invalid.of("media_ids", "media_in_use", "Media can be shown in one place only.")
        if media.status != Media.Status.READY:
            raise Invalid.of("media_ids", "media_not_ready", "Media can be used when they are ready.")
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


@transactional("posts")
def use_as_profile_picture(*, user_id: int, media_id: int | None) -> Media | None:
    """Makes an image the profile picture, in place of the one before; None shows none. Idempotent.

    Invalid for media that are absent, somebody else's, not ready, no image, or in a post.
    """
    chosen = None
    if media_id is not None:
        chosen = Media.objects.select_for_update().filter(id=media_id, user_id=user_id).first()
        if chosen is None:
            raise Invalid.of("profile_picture_media_id", "media_unknown", "There is no such media of yours.")
        if chosen.shown_in == Media.Place.POST:
            raise Invalid.of("profile_picture_media_id", "media_in_use", "Media can be shown in one place only.")
        if chosen.status != Media.Status.READY or chosen.kind != "image":
            raise Invalid.of(
                "profile_picture_media_id", "media_not_ready", "A profile picture is an image that is ready."
            )
        chosen.shown_in = Media.Place.PROFILE
        chosen.save(update_fields=["shown_in"])
    # Deleted by the sweep, a day after it was uploaded or at once: until then the profile may still name it.
    replaced = Media.objects.filter(user_id=user_id, shown_in=Media.Place.PROFILE).exclude(id=media_id or 0)
    purge(replaced)
    replaced.update(shown_in=Media.Place.NOWHERE)
    return chosen


# --- Removing -----------------------------------------------------------------------------------------------------


def delete_media_rows(media: Sequence[Media]) -> None:
    """Deletes media whose rows the caller's transaction has locked; their files go when nothing else uses them."""
    purge(media)
    now = timezone.now()
    for row in media:
        if row.status == Media.Status.READY:
            for digest in _digests(row):
                StoredFile.objects.filter(digest=digest, uses__gt=0).update(uses=F("uses") - 1)
                StoredFile.objects.filter(digest=digest, uses=0).update(unused_since=now)
        else:
            after_commit("posts", lambda row=row: _delete_upload(row))  # type: ignore[misc]
    Media.objects.filter(id__in=[row.id for row in media]).delete()


def purge(media: Iterable[Media]) -> None:
    """Has caches in front forget the addresses of media; joins the caller's transaction."""
    if settings.MEDIA_PURGE:
        MediaPurge.objects.bulk_create([MediaPurge(path=path) for row in media for path in paths_of(row)])


def purge_caches() -> int:
    """Sends a step of what caches are to forget; how many have. Idempotent; what fails is sent again, ten times."""
    purged = 0
    for row in MediaPurge.objects.order_by("attempts", "id")[:_STEP]:
        try:
            answer = outgoing.request("PURGE", f"{settings.MEDIA_URL}{row.path}")
            is_done = answer.status < 300 or answer.status == 404
        except OutgoingError as error:
            log.warning("media.not_purged", path=row.path, error=str(error))
            is_done = False
        if is_done or row.attempts + 1 >= _PURGE_ATTEMPTS:
            MediaPurge.objects.filter(id=row.id).delete()
            purged += is_done
        else:
            MediaPurge.objects.filter(id=row.id).update(attempts=F("attempts") + 1)
    return purged


@transactional("posts")
def delete_unused_media(*, before_hours: int) -> int:
    """Deletes a step of media that nothing has shown for so many hours since they were uploaded; how many."""
    until = timezone.now() - timedelta(hours=before_hours)
    unused = Media.objects.select_for_update().filter(shown_in=Media.Place.NOWHERE, created_at__lt=until)
    rows = list(unused.order_by("id")[:_STEP])
    delete_media_rows(rows)
    return len(rows)


def delete_unused_files() -> int:
    """Removes a step of files that nothing uses from the store; how many. Idempotent."""
    until = timezone.now() - _UNUSED_FILE
    unused = StoredFile.objects.filter(unused_since__lt=until, uses=0)
    digests = list(unused.order_by("unused_since").values_list("digest", flat=True)[:_STEP])
    for digest in digests:
        _delete_file(digest=digest, until=until)
    return len(digests)


@transactional("posts")
def _delete_file(*, digest: str, until: Any) -> None:
    """Under the lock of its row: whoever wants to use the file again waits, and stores it anew."""
    file = StoredFile.objects.select_for_update().filter(digest=digest, uses=0, unused_since__lt=until).first()
    if file is not None:
        stores.delete(stores.file_name(file.digest, file.extension))
        file.delete()


def _digests(media: Media) -> list[str]:
    return sorted({file["digest"] for file in media.files.values()})
