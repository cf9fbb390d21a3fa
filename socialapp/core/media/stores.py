"""Stores files through django-storages: in a folder, or a bucket of an S3 service.

Names are `uploads/<media id>` for originals that wait to be processed, and `files/<ab>/<digest>.<extension>` for
served files.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, storages

from socialapp.core.errors import store_unavailable

CONTENT_TYPES = {"webp": "image/webp", "mp4": "video/mp4"}
_COPY_BYTES = 2**20
_FILE_NAME = re.compile(r"files/[0-9a-f]{2}/([0-9a-f]{64})\.([a-z0-9]{1,5})")


class Files(FileSystemStorage):
    """A folder, to which files are written atomically."""

    def _save(self, name: str, content: Any) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".part-", delete=False) as part:
            try:
                shutil.copyfileobj(content, part, _COPY_BYTES)
                part.flush()
                os.fsync(part.fileno())
                os.chmod(part.name, 0o644)
                os.replace(part.name, path)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
        return name


def file_name(digest: str, *, extension: str) -> str:
    """The name of a file that is served."""
    return f"files/{digest[:2]}/{digest}.{extension}"


class FileName(NamedTuple):
    """The parts of the name of a file that is served."""

    digest: str
    extension: str


def parsed_name(name: str) -> FileName | None:
    """The parts of a name made by `file_name`; None for any other."""
    found = _FILE_NAME.fullmatch(name)
    return FileName(found[1], found[2]) if found else None


def save(name: str, *, content: IO[bytes], content_type: str = "") -> None:
    """Stores a file, replacing one of the same name. Unavailable if the store fails."""
    file = File(content, name=name)
    if content_type:
        file.content_type = content_type  # type: ignore[attr-defined]  # S3's storage asks for it
    _call(lambda: _store().save(name, file))


def fetch(names: Iterable[str], *, target: Path) -> None:
    """Concatenates files of the store into `target`. FileNotFoundError if one is missing."""
    try:
        with target.open("wb") as file:
            for name in names:
                with closing(_opened(name)) as content:
                    shutil.copyfileobj(content, file, _COPY_BYTES)
    except store_errors() as error:
        raise _translated(error) from error


def read_head(name: str, *, length: int) -> bytes:
    """The first bytes of a stored file. FileNotFoundError if there is none."""
    try:
        with closing(_opened(name)) as content:
            return bytes(content.read(length))
    except store_errors() as error:
        raise _translated(error) from error


def _opened(name: str) -> Any:
    """The content of a file, streamed: not by ranges, which some servers refuse beyond the end."""
    store: Any = _store()
    return store.bucket.Object(name).get()["Body"] if is_s3() else open(store.path(name), "rb")


def delete(name: str) -> None:
    """Deletes a file; does nothing if there is none."""
    _call(lambda: _store().delete(name))


def size_of(name: str) -> int:
    """The size of a file in bytes. FileNotFoundError if there is none."""
    try:
        return int(_store().size(name))
    except store_errors() as error:
        raise _translated(error) from error


def names(folder: str) -> Iterator[tuple[str, datetime]]:
    """The files in a folder of the store and its subfolders, with their modification times."""
    store = _store()
    if not is_s3():
        root = Path(store.path(""))
        for path in sorted((root / folder).rglob("*")):
            if path.is_file():
                yield path.relative_to(root).as_posix(), store.get_modified_time(path.relative_to(root).as_posix())
        return
    for found in store.bucket.objects.filter(Prefix=f"{folder}/"):  # type: ignore[attr-defined]
        yield found.key, found.last_modified


def is_s3() -> bool:
    """Whether the store is a bucket, so that clients download from it and may upload to it directly."""
    return not isinstance(_store(), FileSystemStorage)


def download_url(name: str, *, seconds: int, content_type: str, cache_control: str) -> str:
    """A presigned URL in the bucket for downloading, valid for `seconds`, with these response headers."""
    store: Any = _store()
    if store.custom_domain:
        return str(store.url(name, expire=seconds))  # CloudFront sends what the object was stored with
    headers = {"ResponseContentType": content_type, "ResponseCacheControl": cache_control}
    return str(store.url(name, parameters=headers, expire=seconds))


def upload_url(name: str, *, seconds: int, content_type: str, size: int) -> str:
    """A presigned URL in the bucket for one PUT of exactly this size and type."""
    store: Any = _store()
    return str(
        store.connection.meta.client.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": store.bucket_name,
                "Key": name,
                "ContentType": content_type,
                "ContentLength": size,
            },
            ExpiresIn=seconds,
        )
    )


def local_path(name: str) -> Path:
    """The path of a file on this machine, if the store is a folder."""
    return Path(_store().path(name))


def store_errors() -> tuple[type[Exception], ...]:
    """The exceptions of a store that is unavailable, full or slow."""
    if not is_s3():
        return (OSError,)
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    return (OSError, Boto3Error, BotoCoreError, ClientError)


def _call(run: Callable[[], Any]) -> Any:
    try:
        return run()
    except store_errors() as error:
        raise _translated(error) from error


def _translated(error: Exception) -> Exception:
    """FileNotFoundError for a missing file, whatever the store raised, else Unavailable."""
    response = getattr(error, "response", None) or {}  # None where botocore had no answer to its request
    if isinstance(error, FileNotFoundError) or response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
        return FileNotFoundError(str(error))
    return store_unavailable()


def _store() -> Storage:
    return storages["media"]
