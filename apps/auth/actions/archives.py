"""The archive of an export: a JSON Lines file for each table, the media files, and an HTML page to read everything.

The page has no scripts and loads nothing. `address_book.jsonl` names the people followed, so that `manage.py load`
finds them in another installation.
"""

import json
import tempfile
import zipfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import IO

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from apps.auth.queries import accounts
from socialapp.contracts.data_export import DataExport, StoredCopy
from socialapp.core.contexts import CONTEXTS
from socialapp.core.media import stores
from socialapp.rpc.calls import client

_BATCH = 500
_ROWS_ON_PAGE = 1000
_FOLLOWS = ("users", "follows")


def write_archive(archive: zipfile.ZipFile, *, user_id: int) -> None:
    """Writes everything that all contexts hold about a person. Rows and files are streamed."""
    followed: list[int] = []
    with tempfile.TemporaryFile() as page:
        page.write(_page_part("head"))
        for context in CONTEXTS:
            for table in client(DataExport, context=context).tables():
                _write_table(archive, page, context, table, user_id=user_id, followed=followed)
            _write_files(archive, page, context, user_id=user_id)
        page.write(_page_part("end"))
        page.seek(0)
        with archive.open("index.html", "w", force_zip64=True) as target:
            while part := page.read(2**16):
                target.write(part)
    book = [json.dumps({"id": str(one.id), "username": one.username}) for one in accounts(followed)]
    archive.writestr("address_book.jsonl", "".join(f"{line}\n" for line in book))


def _write_table(
    archive: zipfile.ZipFile, page: IO[bytes], context: str, table: str, *, user_id: int, followed: list[int]
) -> None:
    """One file per table, with one JSON object per line."""
    shown: list[dict[str, object]] = []
    total = 0
    with archive.open(f"{context}/{table}.jsonl", "w", force_zip64=True) as lines:
        for line in _rows(context, table, user_id):
            lines.write(f"{line}\n".encode())
            total += 1
            row = json.loads(line)
            if len(shown) < _ROWS_ON_PAGE:
                shown.append(row)
            if (context, table) == _FOLLOWS and row["follower_id"] == str(user_id):
                followed.append(int(row["following_id"]))
    if total:
        rows = [[(name, value) for name, value in row.items() if value not in (None, "", [], {})] for row in shown]
        values = {"context": context, "table": table, "rows": rows, "total": total, "shown": len(shown)}
        page.write(_page_part("table", **values))


def _rows(context: str, table: str, user_id: int) -> Iterator[str]:
    personal = client(DataExport, context=context)
    for part in count():
        rows = personal.rows(user_id=user_id, table=table, offset=part * _BATCH, limit=_BATCH)
        yield from rows
        if len(rows) < _BATCH:
            return


def _write_files(archive: zipfile.ZipFile, page: IO[bytes], context: str, *, user_id: int) -> None:
    names: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        for file in _files(context, user_id):
            try:
                stores.fetch([file.stored_as], target=copy)
            except FileNotFoundError:
                continue  # deleted since its row was read
            name = f"{context}/files/{file.name}"
            archive.write(copy, name, zipfile.ZIP_STORED)
            names.append(name)
    if names:
        page.write(_page_part("files", context=context, names=names))


def _files(context: str, user_id: int) -> Iterator[StoredCopy]:
    personal = client(DataExport, context=context)
    for part in count():
        found = personal.files(user_id=user_id, offset=part * _BATCH, limit=_BATCH)
        yield from found
        if not found:
            return


def _page_part(part: str, **values: object) -> bytes:
    made = {"part": part, "instance": settings.INSTANCE_NAME, "made_at": timezone.now(), **values}
    return render_to_string("auth/export.html", made).encode()
