"""Previews of links in SQL: those of posts, and the files of their pictures."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from apps.posts.models import LinkPreview
from socialapp.core.sql import placeholders, select


class PreviewRow(NamedTuple):
    """The preview of a post's link. `image` has `files` as media have them, `blurhash` and `color`."""

    post_id: int
    url_key: str
    url: str
    title: str
    description: str
    site_name: str
    image: dict[str, Any] | None


_PREVIEWS_SQL = (
    "SELECT l.post_id, p.url_key, p.url, p.title, p.description, p.site_name, p.image"
    " FROM post_links l JOIN link_previews p ON p.url_key = l.url_key WHERE l.post_id IN ({}) AND p.title <> ''"
)


def previews_of(post_ids: Sequence[int]) -> list[PreviewRow]:
    """The previews that there are of these posts. One query, none for no posts."""
    if not post_ids:
        return []
    rows = select(LinkPreview, _PREVIEWS_SQL.format(placeholders(post_ids)), list(post_ids))
    return [
        PreviewRow(post_id, url_key, url, title, description, site_name, orjson.loads(image) if image else None)
        for post_id, url_key, url, title, description, site_name, image in rows
    ]


def preview_files(url_key: str) -> dict[str, Any]:
    """The files of the picture of a preview that is shown; empty when there are none."""
    preview = LinkPreview.objects.filter(url_key=url_key).exclude(title="").only("image").first()
    files: dict[str, Any] = preview.image["files"] if preview and preview.image else {}
    return files
