"""Exports: archives of everything that all contexts hold about an account, built in the background."""

import secrets
import tempfile
import zipfile
from datetime import timedelta
from typing import IO

import structlog
from django.core.files import File
from django.core.files.storage import default_storage
from django.db.models import Q
from django.utils import timezone

from apps.auth.actions.archives import write_archive
from apps.auth.actions.mails import queue_mail
from apps.auth.models import Export, Mail, User
from apps.auth.queries import ExportState, export_of, lock_user
from socialapp.core.db import transactional
from socialapp.core.errors import NotFound, TooMany

log = structlog.get_logger()

KEPT = timedelta(days=7)
_BATCH = 10
_DAY = timedelta(days=1)
_MOST_PER_DAY = 5
_WAIT_SECONDS = 3600
# The delays after the first, second, … failure; after the last one the export fails. A context may be down for hours.
_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600, 4 * 3600, 12 * 3600))
# Longer than building takes: the lease of a worker that died expires, and another takes over.
_CLAIM = timedelta(minutes=15)


@transactional("auth")
def request_export(*, user_id: int, session_id: int | None) -> ExportState:
    """Requests an archive that only this session can download; returns the export in progress, if there is one. TooMany
    after several on one day.

    Without a session for a banned person, whose proof is the key in the mail about the ban.
    """
    user = lock_user(user_id)
    export = Export.objects.filter(user=user, session_id=session_id, status=Export.Status.PROCESSING).first()
    if export is None:
        _refuse_too_many(user)
        export = Export(user=user, session_id=session_id)
        export.save(force_insert=True)
        queue_mail(Mail.Kind.EXPORT_REQUESTED, user=user)
    return export_of(export)


def _refuse_too_many(user: User) -> None:
    """TooMany if the account has requested several today: each is a copy of all its media, kept for a week."""
    if Export.objects.filter(user=user, requested_at__gt=timezone.now() - _DAY).count() >= _MOST_PER_DAY:
        raise TooMany("you have requested several exports today; try again tomorrow", retry_after=_WAIT_SECONDS)


def build_due_exports() -> int:
    """Builds the pending archives, claiming each first so that no two workers build it; returns how many."""
    # Work without an attempt is due whatever its time: the clock may have been set back since it was queued.
    due = Export.objects.filter(Q(attempts=0) | Q(due_at__lte=timezone.now()), status=Export.Status.PROCESSING)
    return sum(_build(export) for export in due.order_by("due_at", "id")[:_BATCH])


def _build(export: Export) -> bool:
    claimed = Export.objects.filter(id=export.id, attempts=export.attempts).update(
        attempts=export.attempts + 1, due_at=timezone.now() + _CLAIM
    )
    if not claimed:
        return False
    try:
        archive = _save_archive(export)
    except Exception as error:
        log.warning("auth.export_failed", export_id=export.id, attempts=export.attempts + 1, error=repr(error))
        _try_later(export)
        return False
    finished = Export.objects.filter(id=export.id, status=Export.Status.PROCESSING).update(
        status=Export.Status.READY, archive=archive, expires_at=timezone.now() + KEPT
    )
    if not finished:
        # The account was erased meanwhile, or another worker has claimed it.
        default_storage.delete(archive)
    return bool(finished)


def _try_later(export: Export) -> None:
    now, this = timezone.now(), Export.objects.filter(id=export.id, attempts=export.attempts + 1)
    if export.attempts < len(_PAUSES):
        this.update(due_at=now + _PAUSES[export.attempts])
    else:
        this.update(status=Export.Status.FAILED, expires_at=now + KEPT)


def _save_archive(export: Export) -> str:
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            write_archive(archive, user_id=export.user_id)
        file.seek(0)
        return default_storage.save(f"exports/{export.id}-{secrets.token_hex(16)}.zip", File(file))


def find_archive(*, export_id: int) -> str:
    """The name of the archive of an export; NotFound if there is none or it has expired."""
    archive = Export.objects.filter(id=export_id).values_list("archive", flat=True).first()
    if not archive or not default_storage.exists(archive):
        raise NotFound("there is no such archive")
    return archive


def open_archive(name: str) -> IO[bytes]:
    """The archive with this name, open for reading."""
    return default_storage.open(name)


def delete_expired_exports() -> int:
    """Deletes expired exports with their archives; returns how many."""
    expired = list(Export.objects.filter(expires_at__lt=timezone.now())[:_BATCH])
    for export in expired:
        _delete(export)
    return len(expired)


def delete_archives(user_id: int) -> None:
    """Deletes all exports of an account with their archives. Idempotent."""
    for export in Export.objects.filter(user_id=user_id):
        _delete(export)


def _delete(export: Export) -> None:
    if export.archive:
        default_storage.delete(export.archive)
    Export.objects.filter(id=export.id).delete()
