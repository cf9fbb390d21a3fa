"""Fetches the pages that posts link to, and deletes previews that no post links to any more.

Uses the client that connects to public addresses only (`socialapp.core.outgoing`), outside any transaction.
"""

import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from django.utils import timezone

from apps.posts.actions.media.files import release_files, use_file
from apps.posts.actions.media.processing import file_copies, store_files
from apps.posts.actions.media.refusals import refuse_known
from apps.posts.models import LinkPreview, PostLink
from socialapp.core import outgoing
from socialapp.core.db import transactional
from socialapp.core.errors import Unavailable
from socialapp.core.media.convert import convert
from socialapp.core.media.formats import HEAD_BYTES, IMAGES, detect
from socialapp.core.media.pages import PageSummary, summarize
from socialapp.core.media.results import ConversionError, ConvertedMedia, digest_of
from socialapp.core.outgoing import AddressRefused, OutgoingError

log = structlog.get_logger()

_CLAIM = timedelta(seconds=120)
_FIRST_PAUSE = timedelta(minutes=1)
_ATTEMPTS = 3
_BATCH = 50
_KEPT = timedelta(days=1)  # without any post that links to it


def fetch_link_previews() -> int:
    """Fetches a batch of due pages; returns how many. Idempotent; failures are retried three times."""
    due = LinkPreview.objects.filter(due_at__lte=timezone.now()).order_by("due_at")
    keys = list(due.values_list("url_key", flat=True)[:_BATCH])
    for url_key in keys:
        _fetch(url_key)
    return len(keys)


def _fetch(url_key: str) -> None:
    preview = _claim(url_key=url_key)
    if preview is None:
        return
    with tempfile.TemporaryDirectory(prefix="link-") as folder:
        try:
            answer = outgoing.request("GET", preview.url, headers={"accept": "text/html"})
            page = summarize(answer.url, headers=answer.headers, body=answer.body) if answer.status == 200 else None
            image = _fetch_image(page.image_url, Path(folder)) if page and page.image_url else None
        except AddressRefused as error:
            log.info("link_preview.refused", error=str(error))
            _finish(url_key=url_key, page=None, image=None)
        except (OutgoingError, Unavailable, OSError) as error:  # OSError: the disk is full
            log.info("link_preview.failed", error=str(error))
            _try_again(url_key=url_key)
        else:
            _finish(url_key=url_key, page=page, image=image)


def _fetch_image(url: str, folder: Path) -> ConvertedMedia | None:
    """The picture of a page, converted and stored like an upload; None if it cannot be fetched or converted."""
    try:
        answer = outgoing.request("GET", url, headers={"accept": "image/*"})
    except OutgoingError as error:
        log.info("link_preview.no_image", error=str(error))
        return None
    file_format = detect(answer.body[:HEAD_BYTES])
    if answer.status != 200 or file_format not in IMAGES or file_format == "gif":
        return None
    source = folder / "source"
    source.write_bytes(answer.body)
    try:
        converted = convert(source, file_format=file_format, target=folder, heartbeat=lambda: None)
        refuse_known(content_hash=digest_of(source), perceptual_hash=converted.perceptual_hash)
    except ConversionError as error:
        log.info("link_preview.no_image", error=error.code)
        return None
    store_files(converted=converted, folder=folder)
    return converted


@transactional("posts")
def _claim(*, url_key: str) -> LinkPreview | None:
    now = timezone.now()
    preview = LinkPreview.objects.select_for_update().filter(url_key=url_key, due_at__lte=now).first()
    if preview is None:
        return None
    preview.attempts += 1
    preview.due_at = now + _CLAIM if preview.attempts < _ATTEMPTS else None
    preview.save(update_fields=["attempts", "due_at"])
    return preview


@transactional("posts")
def _try_again(*, url_key: str) -> None:
    preview = LinkPreview.objects.select_for_update().filter(url_key=url_key).first()
    if preview is not None and preview.due_at is not None:
        preview.due_at = timezone.now() + _FIRST_PAUSE * 4**preview.attempts
        preview.save(update_fields=["due_at"])


@dataclass(frozen=True, slots=True)
class _Shown:
    """The columns of a page's row."""

    title: str = ""
    description: str = ""
    site_name: str = ""


@transactional("posts")
def _finish(*, url_key: str, page: PageSummary | None, image: ConvertedMedia | None) -> None:
    preview = LinkPreview.objects.select_for_update().filter(url_key=url_key).first()
    if preview is None:
        return
    shown = _Shown(page.title, page.description, page.site_name) if page else _Shown()
    before, preview.image = _digests(preview.image), None
    if image is not None:
        preview.image = {"files": file_copies(image), "blurhash": image.blurhash, "color": image.color}
    for file in {file.digest: file for file in image.files.values()}.values() if image else ():
        if file.digest not in before:
            use_file(digest=file.digest, extension=file.path.rpartition(".")[2], size=file.size)
    release_files(before - _digests(preview.image))
    preview.title, preview.description, preview.site_name = shown.title, shown.description, shown.site_name
    preview.due_at, preview.attempts, preview.fetched_at = None, 0, timezone.now()
    preview.save()


@transactional("posts")
def forget_unlinked_previews() -> int:
    """Deletes a batch of unlinked previews; returns how many were checked and deleted. Idempotent."""
    until = timezone.now() - _KEPT
    linked = PostLink.objects.values("url_key")
    unlinked = LinkPreview.objects.select_for_update().filter(created_at__lt=until).exclude(url_key__in=linked)
    previews = list(unlinked.order_by("created_at")[:_BATCH])
    for preview in previews:
        release_files(_digests(preview.image))
    LinkPreview.objects.filter(url_key__in=[preview.url_key for preview in previews]).delete()
    return len(previews)


def _digests(image: dict[str, Any] | None) -> set[str]:
    return {file["digest"] for file in image["files"].values()} if image else set()
