"""API bodies of link previews."""

from typing import Any

from apps.posts.queries import PreviewRow
from socialapp.core.media.addresses import path_of, public_url

Body = dict[str, Any]


def link_preview_body(row: PreviewRow) -> Body:
    """The metadata of a linked page."""
    return {
        "url": row.url,
        "title": row.title,
        "description": row.description,
        "site_name": row.site_name,
        "image": _image_body(row.url_key, row.image) if row.image else None,
    }


def _image_body(url_key: str, image: Body) -> Body:
    file = image["files"]["medium"]
    path = path_of(url_key, digest=file["digest"], extension=file["extension"])
    return {
        "url": public_url(f"links/{path}"),
        "width": file["width"],
        "height": file["height"],
        "blurhash": image["blurhash"] or None,
    }
