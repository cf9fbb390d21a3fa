"""Reads and writes JSON Lines files of users, follows, posts, comments and reactions. Format: docs/records.md."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from socialapp.calls import client
from socialapp.contracts.records import KINDS, Record, Records, Rejected

BATCH = 500
MAX_LINE = 100_000


@dataclass
class Loaded:
    """What came of loading a file."""

    taken: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    end: int  # byte offset behind the line
    text: str
    record: Record | None
    reason: str = ""


def load_file(path: Path, *, on_progress: Callable[[int], object], restart: bool = False) -> Loaded:
    """Loads `path`; bad lines go to `<path>.rejected` with number and reason, the rest is loaded.

    Restartable: `<path>.progress` remembers how far it came, and a record that is there already is passed over.
    `on_progress` is told how many bytes were done.
    """
    progress = path.with_name(path.name + ".progress")
    start, number = (0, 0) if restart or not progress.exists() else map(int, progress.read_text().split())
    loaded = Loaded()
    mode = "a" if start else "w"
    with path.open("rb") as file, path.with_name(path.name + ".rejected").open(mode, encoding="utf-8") as rejects:
        file.seek(start)
        on_progress(start)
        done = start
        for batch in _batches(_lines(file, start, number)):
            _load_batch(batch, loaded, rejects)
            rejects.flush()
            progress.write_text(f"{batch[-1].end} {batch[-1].number}")
            on_progress(batch[-1].end - done)
            done = batch[-1].end
    progress.unlink(missing_ok=True)
    return loaded


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
    if not isinstance(record, dict) or record.get("type") not in KINDS:
        return _Line(number, end, text, None, f"type must be one of {', '.join(KINDS)}")
    return _Line(number, end, text, record)


def _batches(lines: Iterator[_Line]) -> Iterator[list[_Line]]:
    """Runs of lines of one type, so that every record comes after those above it; bad lines go with the run."""
    batch: list[_Line] = []
    kind = None
    for line in lines:
        found = line.record["type"] if line.record else kind
        if batch and (found != kind or len(batch) == BATCH):
            yield batch
            batch = []
        kind = found
        batch.append(line)
    if batch:
        yield batch


def _load_batch(batch: list[_Line], loaded: Loaded, rejects: IO[str]) -> None:
    good = [line for line in batch if line.record is not None]
    reasons = {line.number: line.reason for line in batch if line.record is None}
    if good:
        kind = str((good[0].record or {})["type"])
        found = load_records(kind, [_without_type(line.record or {}) for line in good])
        reasons.update({good[refused.index].number: refused.reason for refused in found})
        loaded.taken[kind] += len(good) - len(found)
    loaded.rejected += len(reasons)
    for line in batch:
        if line.number in reasons:
            rejects.write(json.dumps({"line": line.number, "reason": reasons[line.number], "record": line.text}) + "\n")


def _without_type(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "type"}


def load_records(kind: str, records: list[Record]) -> list[Rejected]:
    """Hands records of one kind to every context that holds a part of them; those that one refused go no further."""
    refused: dict[int, Rejected] = {}
    for context in KINDS[kind]:
        places = [index for index in range(len(records)) if index not in refused]
        answers = client(Records, context=context).load(kind=kind, records=[records[place] for place in places])
        for answer in answers:
            place = places[answer.index]
            refused[place] = Rejected(index=place, reason=answer.reason)
    return [refused[place] for place in sorted(refused)]


def dump_records(kind: str) -> Iterator[Record]:
    """Every record of a kind, in a fixed order, with the parts of all contexts that hold some of it."""
    owner, *others = KINDS[kind]
    after: str | None = ""
    while after is not None:
        batch = client(Records, context=owner).dump(kind=kind, after=after, limit=BATCH)
        parts: list[dict[str, Record]] = [_parts(context, kind, batch.records) for context in others]
        for record in batch.records:
            merged: dict[str, Any] = {"type": kind, **record}
            for part in parts:
                merged.update(part.get(record["id"], {}))
            yield merged
        after = batch.next


def _parts(context: str, kind: str, records: list[Record]) -> dict[str, Record]:
    ids = [int(record["id"]) for record in records]
    return {part["id"]: part for part in client(Records, context=context).parts(kind=kind, ids=ids)} if ids else {}
