"""Loads the archive of a data export into an account of this installation: profile, posts, comments, follows.

An archive comes from a user, so nothing in it is trusted: everything is written as the account that it is loaded into,
under the rules of a bulk import, and people are followed as that account would follow them.
"""

import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from socialapp.contracts.bulk import Record
from socialapp.contracts.posts import Posts
from socialapp.contracts.users import Users
from socialapp.core.errors import NotFound
from socialapp.core.ids import first_id_at, id_of, id_time
from socialapp.ops.bulk import BATCH, MAX_LINE, fault_of, import_records
from socialapp.rpc.calls import client

_NAMES_A_CALL = 50
_FIRST_MINUTE = first_id_at(datetime.fromtimestamp(60, UTC))  # one minute's worth of ids
_BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError)


class BadArchive(Exception):
    """The file is not an export archive, or is damaged; the message is for people."""


@dataclass
class LoadedArchive:
    """The result of loading an archive: records taken (including those that were there already), people who are now
    followed or were sent a request, and why the rest was left out."""

    posts: int = 0
    comments: int = 0
    followed: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


def load_archive(path: Path, *, user_id: int, dry_run: bool, on_progress: Callable[[int], object]) -> LoadedArchive:
    """Loads an archive into the account `user_id`; with `dry_run` it writes nothing and counts what it would load.

    When run again, it skips what is there already. `on_progress` gets the number of uncompressed bytes read. Raises
    BadArchive if the file is no archive or is damaged; what was loaded by then stays.
    """
    with _opened(path) as file:
        return _load(_Archive(file, on_progress), user_id=user_id, dry_run=dry_run)


def archive_bytes(path: Path) -> int:
    """The number of uncompressed bytes that loading an archive reads; BadArchive if the file is not one."""
    with _opened(path) as file:
        return sum(info.file_size for info in file.infolist() if info.filename in _Archive.FILES)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except _BROKEN as error:
        raise BadArchive(f"{path} is not the archive of an export: {error}") from None


class _Archive:
    """The tables of an archive that are loaded, as rows."""

    ACCOUNT, PROFILE, POSTS, COMMENTS, FOLLOWED = (
        "auth/users.jsonl",
        "users/profiles.jsonl",
        "posts/posts.jsonl",
        "comments/comments.jsonl",
        "address_book.jsonl",
    )
    FILES = frozenset({ACCOUNT, PROFILE, POSTS, COMMENTS, FOLLOWED})

    def __init__(self, file: zipfile.ZipFile, on_progress: Callable[[int], object]) -> None:
        self._file, self._on_progress = file, on_progress
        missing = self.FILES - set(file.namelist())
        if missing:
            raise BadArchive(f"this is not the archive of an export: it has no {min(missing)}")
        accounts = list(self.rows(self.ACCOUNT))
        if len(accounts) != 1 or not _is_id(_text(accounts[0], "id")):
            raise BadArchive(f"this is not the archive of one person: {self.ACCOUNT} holds {len(accounts)} accounts")
        self.owner_id = _text(accounts[0], "id")
        self.post_ids = frozenset(_text(row, "id") for row in self.own_rows(self.POSTS))

    def post_id(self, text: str, *, user_id: int) -> str:
        """The id that a post gets here. A post older than the account, which nobody would look for there, moves into
        the account's first minute: in the same order, and to the same id whenever the archive is loaded."""
        owner_id = int(self.owner_id)
        if text not in self.post_ids or not _is_id(text) or not owner_id <= int(text) < user_id:
            return text
        return str(user_id + 1 + (int(text) - owner_id) * _FIRST_MINUTE // (user_id - owner_id))

    def rows(self, name: str) -> Iterator[Record]:
        """The rows of a table, one at a time; BadArchive if one is not a JSON object."""
        number = 0
        try:
            with self._file.open(name) as lines:
                while line := lines.readline(MAX_LINE + 1):
                    number += 1
                    self._on_progress(len(line))
                    yield _row(line, place=f"{name} line {number}")
        except _BROKEN as error:
            raise BadArchive(f"{name} is damaged after line {number}: {error}") from None

    def own_rows(self, name: str) -> Iterator[Record]:
        """The rows of a table that belong to the owner."""
        return (row for row in self.rows(name) if str(row.get("user_id")) == self.owner_id)


def _row(line: bytes, *, place: str) -> Record:
    try:
        row = json.loads(line) if len(line) <= MAX_LINE else None
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise BadArchive(f"{place} is not a JSON object of at most {MAX_LINE} bytes")
    return row


def _load(archive: _Archive, *, user_id: int, dry_run: bool) -> LoadedArchive:
    loaded = LoadedArchive()
    # The profile first: if the account was private, posts must not be public even for a moment.
    _load_profile(archive, user_id=user_id, dry_run=dry_run)
    loaded.posts = _load_records("post", _posts(archive, user_id), loaded.left_out, dry_run=dry_run)
    comments = _comments(archive, user_id, loaded.left_out, dry_run=dry_run)
    loaded.comments = _load_records("comment", comments, loaded.left_out, dry_run=dry_run)
    loaded.followed = _follow(archive, user_id=user_id, left_out=loaded.left_out, dry_run=dry_run)
    return loaded


def _load_profile(archive: _Archive, *, user_id: int, dry_run: bool) -> None:
    for row in archive.own_rows(_Archive.PROFILE):
        if not dry_run:
            client(Users).fill_profile(
                user_id=user_id,
                full_name=_text(row, "full_name"),
                bio=_text(row, "bio"),
                is_private=row.get("is_private") is True,
                is_discoverable=row.get("is_discoverable") is not False,
            )


def _posts(archive: _Archive, user_id: int) -> Iterator[Record]:
    for row in archive.own_rows(_Archive.POSTS):
        yield {
            "id": archive.post_id(_text(row, "id"), user_id=user_id),
            "user_id": str(user_id),
            "content": _text(row, "content"),
            "created_at": _text(row, "created_at"),
            "updated_at": _text(row, "updated_at"),
            "is_private": row.get("is_private") is not False,
            "sensitive": row.get("sensitive") is True,
            "content_warning": _text(row, "content_warning"),
        }


def _comments(archive: _Archive, user_id: int, left_out: Counter[str], *, dry_run: bool) -> Iterator[Record]:
    """The comments on posts that the account may see here; in a dry run also those on posts that would be loaded."""
    visible: dict[str, bool] = {}
    if dry_run:
        visible = {post["id"]: True for post in _posts(archive, user_id)}
    for row in archive.own_rows(_Archive.COMMENTS):
        post_id = archive.post_id(_text(row, "post_id"), user_id=user_id)
        if post_id not in visible:
            visible[post_id] = _may_see(post_id, user_id)
        if not visible[post_id]:
            left_out["the post of a comment is not here"] += 1
            continue
        yield {
            "id": _text(row, "id"),
            "post_id": post_id,
            "user_id": str(user_id),
            "parent_comment_id": _text(row, "parent_comment_id") or None,
            "content": _text(row, "content"),
            "created_at": _text(row, "created_at"),
            "updated_at": _text(row, "updated_at"),
        }


def _may_see(post_id: str, user_id: int) -> bool:
    if not _is_id(post_id):
        return False
    try:
        return user_id in client(Posts).viewers(post_id=int(post_id), user_ids=[user_id])
    except NotFound:
        return False


def _load_records(kind: str, records: Iterator[Record], left_out: Counter[str], *, dry_run: bool) -> int:
    taken = 0
    for batch in _batches(records):
        good = []
        for record in batch:
            reason = _fault_of_id(record["id"]) or fault_of(record)
            if reason:
                left_out[f"a {kind}: {reason}"] += 1
            else:
                good.append(record)
        refused = import_records(kind, records=good) if good and not dry_run else []
        left_out.update(f"a {kind}: {one.reason}" for one in refused)
        taken += len(good) - len(refused)
    return taken


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _fault_of_id(text: str) -> str:
    """What is wrong with an id; "" if nothing. A post with a future id would stay on top of feeds until then."""
    if not _is_id(text):
        return "id is not an id"
    return "id lies in the future" if id_time(int(text)) > datetime.now(UTC) + timedelta(minutes=1) else ""


def _is_id(text: str) -> bool:
    try:
        return bool(id_of(text, name="id"))
    except ValueError:
        return False


def _follow(archive: _Archive, *, user_id: int, left_out: Counter[str], dry_run: bool) -> int:
    names = list(dict.fromkeys(_text(row, "username") for row in archive.rows(_Archive.FOLLOWED)))
    followed = 0
    for start in range(0, len(names), _NAMES_A_CALL):
        some = names[start : start + _NAMES_A_CALL]
        if dry_run:
            found = len(client(Users).by_usernames(usernames=some))
        else:
            found = len(client(Users).follow_by_name(user_id=user_id, usernames=some))
        followed += found
        if found < len(some):
            left_out["somebody to follow is not here, or cannot be followed"] += len(some) - found
    return followed


def _text(row: Record, name: str) -> str:
    """A member as text: ids come as numbers or strings; "" if it is absent."""
    value: Any = row.get(name)
    return "" if value is None or isinstance(value, bool | list | dict) else str(value)
