"""Converts uploads: claimed by one worker at a time, retried if the worker dies, and ready or failed in the end.

Files are stored before the row that uses them is written, so a killed process leaves at most a file for the sweep to
find.
"""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone

from apps.posts.actions.media.files import delete_upload, reserve_file, use_file
from apps.posts.actions.media.refusals import refuse_known
from apps.posts.models import Media
from apps.posts.queries import claimed_media, waiting_media
from socialapp.contracts.posts import MediaReady
from socialapp.core.db import after_commit, transactional
from socialapp.core.errors import Unavailable
from socialapp.core.media import stores
from socialapp.core.media.convert import convert
from socialapp.core.media.results import ConversionError, ConvertedMedia, digest_of
from socialapp.messaging.publish import publish

log = structlog.get_logger()

_CLAIM = timedelta(seconds=60)
_ATTEMPTS = 3
_BATCH = 200


def process_waiting_media() -> None:
    """Processes the waiting media one by one, while fewer than MEDIA_PARALLEL are being processed."""
    for media_id in waiting_media(limit=_BATCH):
        if claimed_media() >= settings.MEDIA_PARALLEL:
            return
        process_media(media_id=media_id)


def process_media(*, media_id: int) -> None:
    """Converts an upload and marks its media as ready, or as failed with a reason. Idempotent.

    Claims the media first; the claim is a lease that expires, so another worker continues after a crash.
    """
    media = _claim(media_id=media_id)
    if media is None:
        return
    try:
        with tempfile.TemporaryDirectory(prefix="media-") as folder:
            source = Path(folder) / "source"
            stores.fetch([part.name for part in media.upload_parts()], target=source)
            content_hash = digest_of(source)
            converted = convert(
                source,
                file_format=media.file_format,
                target=Path(folder),
                heartbeat=lambda: _extend_claim(media_id, media.attempts),
            )
            refuse_known(content_hash=content_hash, perceptual_hash=converted.perceptual_hash)
            store_files(converted=converted, folder=Path(folder))
            finish_media(media_id=media_id, attempt=media.attempts, content_hash=content_hash, converted=converted)
    except ConversionError as error:
        fail_media(media_id=media_id, attempt=media.attempts, code=error.code)
    except FileNotFoundError:
        fail_media(media_id=media_id, attempt=media.attempts, code="damaged")
    except _ClaimLost:
        log.info("media.claim_lost", media_id=media_id)
    except (Unavailable, OSError) as error:  # OSError: the disk for temporary files is full
        log.warning("media.store_away", media_id=media_id, error=str(error))
        _give_back(media_id=media_id, attempt=media.attempts)


class _ClaimLost(Exception):
    """Another process has claimed the media, or they are already processed or deleted."""


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
    """Releases a claim without counting the attempt: the store was unavailable or full, not the file's fault."""
    claimed = Media.objects.filter(id=media_id, status=Media.Status.PROCESSING, attempts=attempt)
    claimed.update(claimed_until=timezone.now() + timedelta(seconds=10), attempts=attempt - 1)


def store_files(*, converted: ConvertedMedia, folder: Path) -> None:
    """Stores the converted files, with rows that protect them until something uses them."""
    distinct = {file.digest: file for file in converted.files.values()}
    for file in distinct.values():
        extension = file.path.rpartition(".")[2]
        reserve_file(digest=file.digest, extension=extension, size=file.size)
        with (folder / file.path).open("rb") as content:
            stores.save(
                stores.file_name(file.digest, extension=extension), content=content, content_type=file.content_type
            )


def file_copies(converted: ConvertedMedia) -> dict[str, dict[str, Any]]:
    """The description of the files in the row of their media."""
    return {
        name: {
            "digest": file.digest,
            "extension": file.path.rpartition(".")[2],
            "width": file.width,
            "height": file.height,
        }
        for name, file in converted.files.items()
    }


@transactional("posts")
def finish_media(*, media_id: int, attempt: int, content_hash: str, converted: ConvertedMedia) -> None:
    """Marks media as ready; does nothing if they were deleted or claimed by another worker meanwhile."""
    media = Media.objects.select_for_update().filter(id=media_id).first()
    if media is None or media.status != Media.Status.PROCESSING or media.attempts != attempt:
        return
    media.files = file_copies(converted)
    media.status, media.kind, media.claimed_until = Media.Status.READY, converted.kind, None
    media.width, media.height, media.duration_ms = converted.width, converted.height, converted.duration_ms
    media.blurhash, media.color = converted.blurhash, converted.color
    media.content_hash, media.perceptual_hash = content_hash, converted.perceptual_hash
    media.version += 1
    media.save()
    for file in {file.digest: file for file in converted.files.values()}.values():
        use_file(digest=file.digest, extension=file.path.rpartition(".")[2], size=file.size)
    publish(MediaReady(media_id=media.id, user_id=media.user_id, is_ready=True))
    after_commit("posts", callback=lambda: delete_upload(media))


@transactional("posts")
def fail_media(*, media_id: int, attempt: int, code: str) -> None:
    """Marks media as failed; does nothing if another worker has claimed them meanwhile."""
    media = Media.objects.select_for_update().filter(id=media_id, status=Media.Status.PROCESSING).first()
    if media is not None and media.attempts == attempt:
        _mark_failed(media, code)


def _mark_failed(media: Media, code: str) -> None:
    media.status, media.error, media.claimed_until = Media.Status.FAILED, code, None
    media.version += 1
    media.save()
    publish(MediaReady(media_id=media.id, user_id=media.user_id, is_ready=False))
    after_commit("posts", callback=lambda: delete_upload(media))
