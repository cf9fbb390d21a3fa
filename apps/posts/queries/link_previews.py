"""SQL of link previews: those of posts, and the files of their pictures."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from apps.posts.models import LinkPreview


class PreviewRow(NamedTuple):
    """The preview of a post's link. `image` has `files` as media have them, `blurhash` and `color`."""

    url_key: str
    url: str
    title: str
    description: str
    site_name: str
    image: dict[str, Any] | None


PREVIEW_COLUMNS = PreviewRow._fields


def preview_row(columns: Sequence[Any]) -> PreviewRow:
    """A preview from its columns as drivers return them."""
    url_key, url, title, description, site_name, image = columns
    return PreviewRow(url_key, url, title, description, site_name, orjson.loads(image) if image else None)


def preview_files(url_key: str) -> dict[str, Any]:
    """The files of a preview's picture, if it is shown; empty if there are none."""
    preview = LinkPreview.objects.filter(url_key=url_key).exclude(title="").only("image").first()
    files: dict[str, Any] = preview.image["files"] if preview and preview.image else {}
    return files
