"""Compares the rows of media with the store, both ways, and deletes orphaned files."""

import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from django.db.models import Q
from django.utils import timezone

from apps.posts.actions.media.files import adopt_file, delete_unused_files
from apps.posts.actions.media.removal import delete_comment_media, delete_unused_media
from apps.posts.models import Media, StoredFile
from apps.posts.queries import media_in_comments
from socialapp.contracts.comments import Comments
from socialapp.core.ids import id_time
from socialapp.core.media import stores
from socialapp.rpc.calls import client

_BATCH = 200
_YOUNG = timedelta(hours=1)  # the row of a file this recent may not be committed yet
_UPLOAD_NAME = re.compile(r"uploads/(\d{1,19})(?:\.\d{1,5})?")
_TEMPORARY = re.compile(r"(media-|link-)[a-z0-9_]{8}|tmp[a-z0-9_]{8}\.upload.*")
_LISTED = 100  # most names in a report; the counts are exact

Advance = Callable[[int], object]


def _no_progress(_: int) -> None:
    """The default for callers that show no progress."""


@dataclass(slots=True)
class Findings:
    """The differences, counted, with the first names of each kind."""

    rows: int = 0
    files: int = 0
    missing: int = 0  # rows in use whose file is not in the store, or has another size
    missing_names: list[str] = field(default_factory=list)
    unknown: int = 0  # files without a row
    unknown_names: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether rows and store agree."""
        return not (self.missing or self.unknown)


@dataclass(slots=True)
class Swept:
    """What a sweep deleted, or would delete."""

    media: int = 0
    unused_files: int = 0
    unknown_files: int = 0


def verify_store(*, advance: Advance = _no_progress) -> Findings:
    """Compares every row with the store and every stored file with the rows, in batches. Read-only."""
    found = Findings()
    after = ""
    while rows := list(StoredFile.objects.filter(digest__gt=after, uses__gt=0).order_by("digest")[:_BATCH]):
        after = rows[-1].digest
        for row in rows:
            found.rows += 1
            name = stores.file_name(row.digest, extension=row.extension)
            if _size_of(name) != row.size and StoredFile.objects.filter(digest=row.digest, uses__gt=0).exists():
                found.missing += 1
                found.missing_names = [*found.missing_names, name][:_LISTED]
        advance(len(rows))
    for name, is_known in _checked_names(advance):
        found.files += 1
        if not is_known:
            found.unknown += 1
            found.unknown_names = [*found.unknown_names, name][:_LISTED]
    return found


def sweep_store(*, unused_hours: int, dry_run: bool = False, advance: Advance = _no_progress) -> Swept:
    """Deletes unused media, unused files, and files without a row. Idempotent."""
    swept = Swept()
    if dry_run:
        until = timezone.now() - timedelta(hours=unused_hours)
        swept.media = Media.objects.filter(shown_in=Media.Place.NOWHERE, created_at__lt=until).count()
        swept.unused_files = StoredFile.objects.filter(uses=0, unused_since__isnull=False).count()
        swept.unknown_files = sum(not is_known for _, is_known in _checked_names(advance))
        return swept
    while deleted := delete_unused_media(before_hours=unused_hours):
        swept.media += deleted
        advance(deleted)
    for name, is_known in _checked_names(advance):
        if not is_known:
            swept.unknown_files += 1
            _remove(name)
    while removed := delete_unused_files():
        swept.unused_files += removed
        advance(removed)
    swept.unused_files = max(swept.unused_files - swept.unknown_files, 0)
    return swept


def _remove(name: str) -> None:
    """Deletes an original at once; any other file under the lock of its row, as a conversion may be storing it."""
    parsed = stores.parsed_name(name)
    if parsed is None:
        stores.delete(name)
    else:
        adopt_file(digest=parsed.digest, extension=parsed.extension)


def _checked_names(advance: Advance) -> Iterator[tuple[str, bool]]:
    """Every file of the store that is not very recent, and whether it has a row."""
    until = timezone.now() - _YOUNG
    for folder, known_of in (("files", _known_files), ("uploads", _known_uploads)):
        for batch in _batches(stores.names(folder), until):
            known = known_of(batch)
            for name in batch:
                yield name, name in known
            advance(len(batch))


def _batches(listed: Iterator[tuple[str, datetime]], until: datetime) -> Iterator[list[str]]:
    old = (name for name, changed_at in listed if changed_at < until)
    while batch := list(islice(old, _BATCH)):
        yield batch


def _known_files(names: Iterable[str]) -> set[str]:
    parsed = [file for file in map(stores.parsed_name, names) if file is not None]
    rows = StoredFile.objects.filter(digest__in={file.digest for file in parsed})
    return {stores.file_name(row.digest, extension=row.extension) for row in rows}


def _known_uploads(names: Iterable[str]) -> set[str]:
    found = [_UPLOAD_NAME.fullmatch(name) for name in names]
    ids = {int(name[1]) for name in found if name is not None}
    waiting = Q(status=Media.Status.UPLOADING) | Q(status=Media.Status.PROCESSING)
    known = Media.objects.filter(waiting, id__in=ids).only("id", "size", "part_size")
    return {part.name for media in known for part in media.upload_parts()}


def _size_of(name: str) -> int | None:
    try:
        return stores.size_of(name)
    except FileNotFoundError:
        return None


def delete_abandoned_files() -> int:
    """Deletes temporary files that killed processes left of uploads and conversions; returns how many.

    Needed where the disk outlives the container.
    """
    deleted = 0
    for path in Path(tempfile.gettempdir()).iterdir():
        if _TEMPORARY.fullmatch(path.name) and path.lstat().st_mtime < time.time() - _YOUNG.total_seconds():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
            deleted += 1
    return deleted


def delete_unclaimed_media() -> int:
    """Deletes media of comments that were never written, because a process was killed; returns how many.

    Idempotent. Two calls for each batch of media in comments.
    """
    deleted, after = 0, 0
    while media := media_in_comments(after=after, limit=_BATCH):
        after = media[-1].id
        written = timezone.now() - _YOUNG
        comment_ids = [row.comment_id for row in media if id_time(row.comment_id) < written]
        known = {comment.id for comment in client(Comments).documents(comment_ids=comment_ids)}
        known |= {comment.id for comment in client(Comments).removed(comment_ids=comment_ids)}
        gone = [comment_id for comment_id in comment_ids if comment_id not in known]
        delete_comment_media(comment_ids=gone)
        deleted += len(gone)
    return deleted
