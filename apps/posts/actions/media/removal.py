"""Deletes media, and purges them from caches."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from apps.posts.actions.media.files import delete_upload, release_files
from apps.posts.models import Media, MediaPurge
from apps.posts.presenters import paths_of
from socialapp.core.db import after_commit, transactional
from socialapp.core.media import caches
from socialapp.core.outgoing import OutgoingError

log = structlog.get_logger()

_BATCH = 200
_PURGE_ATTEMPTS = 10


def delete_media_rows(media: Sequence[Media]) -> None:
    """Deletes media whose rows the caller's transaction has locked; their files follow once nothing else uses them."""
    purge(media)
    for row in media:
        if row.status == Media.Status.READY:
            release_files(file["digest"] for file in row.files.values())
        else:
            after_commit("posts", callback=lambda row=row: delete_upload(row))  # type: ignore[misc]
    Media.objects.filter(id__in=[row.id for row in media]).delete()


def purge(media: Iterable[Media]) -> None:
    """Queues the URLs of media for purging from caches; joins the caller's transaction."""
    if settings.MEDIA_PURGE:
        MediaPurge.objects.bulk_create([MediaPurge(path=path) for row in media for path in paths_of(row)])


def purge_author(user_id: int) -> None:
    """Queues everything that a person shows for purging from caches; joins the caller's transaction."""
    if settings.MEDIA_PURGE:
        shown = Media.objects.filter(user_id=user_id).exclude(shown_in=Media.Place.NOWHERE)
        for media in shown.iterator(chunk_size=_BATCH):
            purge([media])


def purge_caches() -> int:
    """Purges a batch of URLs from the caching proxy; returns how many.

    Idempotent; failures are retried ten times.
    """
    cache = caches.cache()
    if cache is None:
        return 0
    purged = 0
    rows = list(MediaPurge.objects.order_by("attempts", "id")[:_BATCH])
    for start in range(0, len(rows), cache.most):
        batch = rows[start : start + cache.most]
        asked = MediaPurge.objects.filter(id__in=[row.id for row in batch])
        try:
            cache.forget([f"{settings.MEDIA_URL}{row.path}" for row in batch])
        except OutgoingError as error:
            log.warning("media.not_purged", paths=[row.path for row in batch], error=str(error))
            asked.filter(attempts__gte=_PURGE_ATTEMPTS - 1).delete()
            asked.update(attempts=F("attempts") + 1)
        else:
            asked.delete()
            purged += len(batch)
    return purged


@transactional("posts")
def delete_comment_media(*, comment_ids: Sequence[int]) -> None:
    """Deletes the media of deleted comments. Idempotent."""
    delete_media_rows(list(Media.objects.select_for_update().filter(comment_id__in=comment_ids)))


@transactional("posts")
def delete_unused_media(*, before_hours: int) -> int:
    """Deletes a batch of media uploaded more than `before_hours` ago that nothing shows; returns how many."""
    until = timezone.now() - timedelta(hours=before_hours)
    unused = Media.objects.select_for_update().filter(shown_in=Media.Place.NOWHERE, created_at__lt=until)
    rows = list(unused.order_by("id")[:_BATCH])
    delete_media_rows(rows)
    return len(rows)
