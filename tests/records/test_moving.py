"""A dump loads into an empty installation and dumps the same again, even if the load is killed and repeated."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.records.installations import Installation, Installations

BAD = b'{"type": "follow", "follower_id": "1", "following_id": "2", "created_at": "2026-01-01T00:00:00Z"}\n'


@pytest.fixture(scope="module")
def installations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installations]:
    """The installations of this module."""
    made = Installations(tmp_path_factory.mktemp("installations"))
    yield made
    made.clear()


@pytest.fixture(scope="module")
def source(installations: Installations) -> Installation:
    """An installation with a crowd and some tombstones of comments."""
    made = installations.make("first")
    made.manage("demo", "--people=40", "--password=correct horse battery")
    whole = [json.loads(line) for line in made.dumped().splitlines()]
    post = next(record["id"] for record in whole if record["type"] == "post" and not record["is_private"])
    author = next(record["id"] for record in whole if record["type"] == "user")
    at = datetime.now(UTC).isoformat()
    grave = {"type": "comment", "id": "7", "post_id": post, "user_id": None, "content": "", "created_at": at}
    reply = {**grave, "id": "8", "user_id": author, "content": "still here", "parent_comment_id": "7"}
    warned = {"type": "post", "id": str(int(post) + 1), "user_id": author, "content": "a scar", "created_at": at}
    warned |= {"sensitive": True, "content_warning": "surgery"}
    extra = made.folder / "extra.jsonl"
    extra.write_text("".join(json.dumps(record) + "\n" for record in (grave, reply, warned)))
    made.manage("load", str(extra))
    return made


@pytest.fixture(scope="module")
def dump(source: Installation) -> bytes:
    """The dump of the source."""
    return source.dumped()


def test_a_dump_loads_into_an_empty_installation_and_dumps_the_same(installations: Installations, dump: bytes) -> None:
    target = installations.make("second")
    assert target.dumped() == b""
    file = target.folder / "in.jsonl"
    file.write_bytes(dump)
    records = [json.loads(line) for line in dump.splitlines()]
    report = json.loads(target.manage("load", str(file), "--json"))
    kinds = ("user", "follow", "post", "comment", "reaction")
    counts = {kind: sum(record["type"] == kind for record in records) for kind in kinds}
    assert report == {"loaded": counts, "rejected": 0}
    assert target.dumped() == dump
    assert any(record.get("is_private") for record in records if record["type"] == "post")
    assert [record["sensitive"] for record in records if record.get("content_warning") == "surgery"] == [True]
    assert any(record.get("parent_comment_id") not in (None, "7") for record in records)
    assert any(record.get("comment_id") for record in records)
    assert sorted(path.name for path in target.folder.glob("in.jsonl*")) == ["in.jsonl"]
    assert (target.folder / "dump.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_killed_load_can_be_repeated_with_the_same_result(installations: Installations, dump: bytes) -> None:
    target = installations.make("third")
    file = target.folder / "in.jsonl"
    lines = dump.splitlines(keepends=True)
    mixed = [line for number, line in enumerate(lines) for line in ([line, BAD] if number % 100 == 99 else [line])]
    bad = [number for number, line in enumerate(mixed, start=1) if line == BAD]
    file.write_bytes(b"".join(mixed))
    for _ in range(2):
        _kill_on_the_way(target, file)
    report = json.loads(target.manage("load", str(file), "--json", expect=2))
    assert report["rejected"] == len(bad)
    assert sum(report["loaded"].values()) == len(lines)
    rejected = [json.loads(line) for line in (target.folder / "in.jsonl.rejected").read_text().splitlines()]
    assert [refusal["line"] for refusal in rejected] == bad
    assert target.dumped() == dump
    assert not list(target.folder.glob("in.jsonl.progress*"))


def _kill_on_the_way(target: Installation, file: Path) -> None:
    """Kills a load with SIGKILL once it has made some progress."""
    note = file.with_name(file.name + ".progress")
    before = note.read_bytes() if note.exists() else b""
    process = target.start("load", str(file))
    deadline = time.monotonic() + 60
    while not note.exists() or note.read_bytes() == before:
        assert process.poll() is None, "the load ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert note.exists()
