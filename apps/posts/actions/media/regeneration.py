"""Regenerates the smaller sizes of media from the largest stored file, after a loss or when sizes change."""

import tempfile
from pathlib import Path
from typing import Any

import structlog

from apps.posts.actions.media.files import release_files, use_file
from apps.posts.actions.media.places import refresh_copies
from apps.posts.actions.media.processing import file_copies, store_files
from apps.posts.models import Media
from socialapp.core.db import transactional
from socialapp.core.media import stores
from socialapp.core.media.convert import convert
from socialapp.core.media.results import ConversionError, ConvertedMedia

log = structlog.get_logger()

_BATCH = 200


def ready_media(*, after: int) -> list[int]:
    """The ids of a batch of ready media above `after`, ascending."""
    ready = Media.objects.filter(id__gt=after, status=Media.Status.READY)
    return list(ready.order_by("id").values_list("id", flat=True)[:_BATCH])


def is_ready(*, media_id: int) -> bool:
    """Whether there are such media to regenerate."""
    return Media.objects.filter(id=media_id, status=Media.Status.READY).exists()


def regenerate_media(*, media_id: int) -> bool:
    """Regenerates sizes, blurhash and color, keeping the video or the largest picture; returns whether that worked.

    False if the largest file is lost or damaged. Idempotent: the same picture gives the same files.
    """
    media = Media.objects.filter(id=media_id, status=Media.Status.READY).first()
    if media is None:
        return False
    kept = media.files.get("video") or media.files["large"]
    with tempfile.TemporaryDirectory(prefix="media-") as folder:
        source = Path(folder) / "source"
        try:
            stores.fetch([stores.file_name(kept["digest"], extension=kept["extension"])], target=source)
            converted = convert(source, file_format=kept["extension"], target=Path(folder), heartbeat=lambda: None)
        except (FileNotFoundError, ConversionError) as error:
            log.warning("media.not_remade", media_id=media_id, error=repr(error))
            return False
        store_files(converted=converted, folder=Path(folder))
        return _take_sizes(media_id=media_id, seen=media.files, converted=converted)


@transactional("posts")
def _take_sizes(*, media_id: int, seen: dict[str, Any], converted: ConvertedMedia) -> bool:
    media = Media.objects.select_for_update().filter(id=media_id).first()
    if media is None or media.files != seen:
        return False
    kept = "video" if "video" in seen else "large"
    files = {**file_copies(converted), kept: seen[kept]}
    if media.shown_in == Media.Place.PROFILE:
        files["small"] = seen["small"]  # the profile stores its URL
    sizes = {file.digest: file.size for file in converted.files.values()}
    before, after = ({file["digest"]: file["extension"] for file in each.values()} for each in (seen, files))
    for digest in sorted(after.keys() - before.keys()):
        use_file(digest=digest, extension=after[digest], size=sizes[digest])
    release_files(before.keys() - after.keys())
    media.files = files
    media.blurhash, media.color = converted.blurhash, converted.color
    media.perceptual_hash = converted.perceptual_hash
    media.version += 1
    media.save()
    if media.shown_in == Media.Place.POST and media.post_id is not None:
        refresh_copies(media=media, post_id=media.post_id, history=True)
    return True
