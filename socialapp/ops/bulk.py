"""Reads and writes JSON Lines files of users, follows, posts, comments and reactions. Format: docs/records.md."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import msgspec

from socialapp.contracts.bulk import KINDS, BulkTransfer, Record, Rejected
from socialapp.core.errors import NotFound
from socialapp.core.text.visible import has_control_characters
from socialapp.rpc.calls import client

BATCH = 500
MAX_LINE = 100_000
_BATCH_BYTES = 500_000  # of a batch that is sent to another process
_IDS_A_CALL = 100  # they are sent in a URL
_ATTEMPTS = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass
class Loaded:
    """The result of loading a file. `taken` includes records that were there already."""

    taken: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    rejected: int = 0


@dataclass
class _Progress:
    """The progress of a load, in bytes and lines of a file of `size` bytes, and the length of `.rejected` at that
    point."""

    size: int
    offset: int = 0
    line: int = 0
    rejected_bytes: int = 0
    loaded: Loaded = field(default_factory=Loaded)


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    end: int  # byte offset after the line
    text: str
    record: Record | None
    reason: str = ""


def load_file(path: Path, *, on_progress: Callable[[int], object], restart: bool = False) -> Loaded:
    """Loads `path`; bad lines go to `<path>.rejected` with number and reason, and the rest is loaded.

    It can be interrupted: `<path>.progress` records how far it came, and records that exist already are skipped, so a
    load that was killed and run again gives the same result as one that was not. `on_progress` gets the number of bytes
    done. Raises OSError if one of the files cannot be used.
    """
    note = path.with_name(path.name + ".progress")
    rejects_path = path.with_name(path.name + ".rejected")
    progress = _Progress(path.stat().st_size) if restart else _resumed(note, path.stat().st_size)
    with path.open("rb") as file, _private(rejects_path) as rejects:
        rejects.truncate(min(progress.rejected_bytes, rejects.seek(0, os.SEEK_END)))
        rejects.seek(0, os.SEEK_END)
        file.seek(progress.offset)
        on_progress(progress.offset)
        for batch in _batches(_lines(file, progress.offset, progress.line)):
            _load_batch(batch, progress.loaded, rejects)
            on_progress(batch[-1].end - progress.offset)
            progress.offset, progress.line, progress.rejected_bytes = batch[-1].end, batch[-1].number, rejects.tell()
            _save(note, progress)
    note.unlink(missing_ok=True)
    if not progress.loaded.rejected:
        rejects_path.unlink()
    return progress.loaded


def _private(path: Path) -> IO[bytes]:
    """A file that only its owner may read and write: rejected lines can hold e-mail addresses and password hashes."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)


def _resumed(note: Path, size: int) -> _Progress:
    """The progress of an interrupted load; the beginning if there is none, or it is of a file of another size."""
    try:
        progress = msgspec.json.decode(note.read_bytes(), type=_Progress)
    except (FileNotFoundError, msgspec.DecodeError):
        return _Progress(size)
    return progress if progress.size == size else _Progress(size)


def _save(note: Path, progress: _Progress) -> None:
    """Writes it atomically, as the process may be killed at any moment."""
    partial = note.with_name(note.name + ".partial")
    partial.write_text(json.dumps(asdict(progress)))
    partial.replace(note)


def _lines(file: IO[bytes], offset: int, number: int) -> Iterator[_Line]:
    while raw := file.readline(MAX_LINE + 1):
        offset += len(raw)
        number += 1
        if len(raw) > MAX_LINE and not raw.endswith(b"\n"):
            while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                offset += len(rest)
            offset += len(rest)
            yield _Line(number, offset, "", None, f"the line is longer than {MAX_LINE} bytes")
        elif raw.strip():
            yield _parse(raw, number, offset)


def _parse(raw: bytes, number: int, end: int) -> _Line:
    text = raw.decode("utf-8", errors="replace").strip()
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return _Line(number, end, text, None, "the line is not JSON")
    kind = record.get("type") if isinstance(record, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        return _Line(number, end, text, None, f"type must be one of {', '.join(KINDS)}")
    return _Line(number, end, text, record)


def _batches(lines: Iterator[_Line]) -> Iterator[list[_Line]]:
    """Groups consecutive lines of one type, so that every record is loaded after those above it; bad lines stay in
    order."""
    batch: list[_Line] = []
    kind = None
    room = 0
    for line in lines:
        found = line.record["type"] if line.record else kind
        if batch and (found != kind or len(batch) == BATCH or len(line.text) > room):
            yield batch
            batch = []
        if not batch:
            room = _BATCH_BYTES
        room -= len(line.text)
        kind = found
        batch.append(line)
    if batch:
        yield batch


def _load_batch(batch: list[_Line], loaded: Loaded, rejects: IO[bytes]) -> None:
    good = [line for line in batch if line.record is not None]
    reasons = {line.number: line.reason for line in batch if line.record is None}
    if good:
        kind = str((good[0].record or {})["type"])
        found = import_records(kind, records=[_without_type(line.record or {}) for line in good])
        reasons.update({good[refused.index].number: refused.reason for refused in found})
        loaded.taken[kind] += len(good) - len(found)
    loaded.rejected += len(reasons)
    refusals = [
        {"line": line.number, "reason": reasons[line.number], "record": line.text}
        for line in batch
        if line.number in reasons
    ]
    rejects.write("".join(json.dumps(refusal) + "\n" for refusal in refusals).encode())


def _without_type(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "type"}


def import_records(kind: str, *, records: list[Record]) -> list[Rejected]:
    """Passes records of one kind to every context that holds a part of them; those that one rejects go no further."""
    refused = {
        index: Rejected(index=index, reason=reason)
        for index, record in enumerate(records)
        if (reason := fault_of(record))
    }
    for context in KINDS[kind]:
        placeholders = [index for index in range(len(records)) if index not in refused]
        if not placeholders:
            break
        for answer in _load_part(context, kind, [records[place] for place in placeholders]):
            place = placeholders[answer.index]
            refused[place] = Rejected(index=place, reason=answer.reason)
    return [refused[place] for place in sorted(refused)]


def _load_part(context: str, kind: str, records: list[Record]) -> list[Rejected]:
    load = client(BulkTransfer, context=context).load
    for _ in range(_ATTEMPTS - 1):
        try:
            return load(kind=kind, records=records)
        except NotFound:
            continue  # something that a record refers to was deleted just now; the retry sees that
    return load(kind=kind, records=records)


def fault_of(record: Record) -> str:
    """What is wrong with a record by the rules for all kinds; "" if nothing. The contexts check the rest."""
    for name, value in record.items():
        if not isinstance(value, str | bool | None):
            return f"{_shown(name)} must be text (numbers too), true, false or null"
        if isinstance(value, str) and has_control_characters(value, multiline=True):
            return f"{_shown(name)} must not have control characters"
        if isinstance(value, str) and name.endswith("_at") and (reason := _fault_of_time(value)):
            return f"{_shown(name)} {reason}"
    return ""


def _fault_of_time(text: str) -> str:
    try:
        moment = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return "must be a time as RFC 3339 has it"
    if moment.tzinfo is None:
        return "must have a time zone"
    if not _EPOCH <= moment <= datetime.now(UTC) + _CLOCKS_DIFFER:
        return "must be between 1970 and now"
    return ""


def _shown(name: str) -> str:
    return name if name.isidentifier() and len(name) < 50 else "a field with a strange name"


def export_records(kind: str, *, until: datetime) -> Iterator[Record]:
    """Every record of a kind, in a fixed order, combined from all contexts that hold a part of it.

    Records created after `until` are left out: they may refer to something created after the earlier kinds were read.
    """
    owner, *others = KINDS[kind]
    after: str | None = ""
    while after is not None:
        batch = client(BulkTransfer, context=owner).dump(kind=kind, after=after, limit=BATCH)
        parts: list[dict[str, Record]] = [_parts(context, kind, batch.records) for context in others]
        for record in batch.records:
            if datetime.fromisoformat(record["created_at"]) > until:
                continue
            merged: dict[str, Any] = {"type": kind, **record}
            for part in parts:
                merged.update(part.get(record["id"], {}))
            yield merged
        after = batch.next


def _parts(context: str, kind: str, records: list[Record]) -> dict[str, Record]:
    ids = [int(record["id"]) for record in records]
    found: dict[str, Record] = {}
    for start in range(0, len(ids), _IDS_A_CALL):
        some = client(BulkTransfer, context=context).parts(kind=kind, ids=ids[start : start + _IDS_A_CALL])
        found.update({part["id"]: part for part in some})
    return found
