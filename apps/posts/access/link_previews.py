"""Access to link previews: their pictures are public, as only links in public posts are previewed."""

from apps.posts.access.media import ServedFile, no_such_file
from apps.posts.queries import preview_files
from socialapp.core.media import stores
from socialapp.core.media.addresses import path_of


def served_link_file(*, url_key: str, file_name: str) -> ServedFile:
    """The picture of a preview; NotFound if there is none at this URL (any more). One query."""
    for file in preview_files(url_key).values():
        if f"{url_key}/{file_name}" == path_of(url_key, digest=file["digest"], extension=file["extension"]):
            extension = file["extension"]
            return ServedFile(
                stores.file_name(file["digest"], extension=extension), stores.CONTENT_TYPES[extension], None
            )
    raise no_such_file()
