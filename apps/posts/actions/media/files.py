"""Reference counts of stored files: a file is deleted some minutes after its last use ended."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.db.models import F
from django.utils import timezone

from apps.posts.models import Media, StoredFile
from socialapp.core.db import transactional
from socialapp.core.errors import Unavailable
from socialapp.core.media import stores

log = structlog.get_logger()

_UNUSED_FILE = timedelta(minutes=10)
_BATCH = 200


@transactional("posts")
def reserve_file(*, digest: str, extension: str, size: int) -> None:
    """Protects a file that nothing uses yet from deletion for a while."""
    now = timezone.now()
    StoredFile.objects.get_or_create(
        digest=digest, defaults={"extension": extension, "size": size, "unused_since": now}
    )
    StoredFile.objects.filter(digest=digest, uses=0).update(unused_since=now)


def use_file(*, digest: str, extension: str, size: int) -> None:
    """Counts one more use of a file; joins the caller's transaction."""
    StoredFile.objects.get_or_create(digest=digest, defaults={"extension": extension, "size": size})
    StoredFile.objects.filter(digest=digest).update(uses=F("uses") + 1, unused_since=None)


@transactional("posts")
def adopt_file(*, digest: str, extension: str) -> None:
    """Creates an unused row for a file without one, so that it is deleted like any other. Idempotent."""
    long_ago = timezone.now() - 2 * _UNUSED_FILE
    StoredFile.objects.get_or_create(
        digest=digest, defaults={"extension": extension, "size": 0, "unused_since": long_ago}
    )


def release_files(digests: Iterable[str]) -> None:
    """Counts one use less of each file; joins the caller's transaction."""
    for digest in sorted(set(digests)):
        StoredFile.objects.filter(digest=digest, uses__gt=0).update(uses=F("uses") - 1)
        StoredFile.objects.filter(digest=digest, uses=0).update(unused_since=timezone.now())


def delete_unused_files() -> int:
    """Deletes a batch of unused files from the store; returns how many. Idempotent."""
    until = timezone.now() - _UNUSED_FILE
    unused = StoredFile.objects.filter(unused_since__lt=until, uses=0)
    digests = list(unused.order_by("unused_since").values_list("digest", flat=True)[:_BATCH])
    for digest in digests:
        _delete_file(digest=digest, until=until)
    return len(digests)


@transactional("posts")
def _delete_file(*, digest: str, until: datetime) -> None:
    """Deletes under the row's lock: whoever wants to use the file again waits, and stores it again."""
    file = StoredFile.objects.select_for_update().filter(digest=digest, uses=0, unused_since__lt=until).first()
    if file is not None:
        stores.delete(stores.file_name(file.digest, extension=file.extension))
        file.delete()


def delete_upload(media: Media) -> None:
    """Deletes the original of some media from the store; if that is unavailable, the sweep does so later."""
    try:
        for part in media.upload_parts():
            stores.delete(part.name)
    except Unavailable as error:
        log.warning("media.upload_left", media_id=media.id, error=str(error))  # the sweep removes it
