"""The first `./run` serves while it creates the demo data, resumes after an interruption, and creates them once."""

import json
from pathlib import Path

import httpx
import pytest

from socialapp.runtime.run import InstallPaths, _load_demo
from tests.migrated import copy_migrated
from tests.run.installation import Installation, started, until
from tests.scaling.dataset import embedded

_SECONDS = 240.0


def test_demo_data_are_created_once_while_the_product_serves(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    done = data_dir / "run" / "demo-data.done"
    with started(data_dir, demo=True, first=True) as first:
        assert not done.exists(), "it must serve before the demo data are complete"
        until((data_dir / "demo.json").exists, seconds=_SECONDS, why="no demo was begun")
        account = json.loads((data_dir / "demo.json").read_text())
    with started(data_dir, demo=True) as second:
        until(done.exists, seconds=_SECONDS, why=f"the demo was not made:\n{first.said()}")
        assert json.loads((data_dir / "demo.json").read_text()) == account
        assert _follows_of(second, account)
        until(lambda: f"log in as {account['username']}" in second.said(), why="the account was not printed")
    with started(data_dir, demo=True) as third:
        until(lambda: f"log in as {account['username']}" in third.said(), why="the account was not printed")
        assert "making demo data" not in third.said()


def test_a_restored_installation_gets_neither_administrator_nor_demo_data(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    copy_migrated(data_dir / "db")
    people = tmp_path / "people.jsonl"
    ada = {"type": "user", "id": "1", "username": "ada", "email": "ada@example.org"}
    people.write_text(json.dumps({**ada, "created_at": "2026-11-01T09:00:00Z"}) + "\n")
    embedded(data_dir, "load", str(people))
    with started(data_dir, demo=True) as restored:
        until(lambda: "ready at" in restored.said(), why="it did not start")
        embedded(data_dir, "dump", str(tmp_path / "dumped.jsonl"), "--kind", "user")
    assert "making" not in restored.said()
    dumped = (tmp_path / "dumped.jsonl").read_text().splitlines()
    assert [json.loads(line)["username"] for line in dumped] == ["ada"]


def test_the_account_of_the_demo_is_noted_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an empty note, left by a first start that was killed, no later one could go on."""

    def be_killed() -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("socialapp.demo.story.new_password", be_killed)
    place = InstallPaths(tmp_path, tmp_path, "127.0.0.1", 8000)
    with pytest.raises(KeyboardInterrupt):
        _load_demo(place)
    assert not place.demo_note.exists()


def _follows_of(installation: Installation, account: dict[str, str]) -> int:
    login = {"login": account["username"], "password": account["password"]}
    answer = httpx.post(f"{installation.url}/v1/auth/login", json=login, timeout=10).json()
    profile = httpx.get(f"{installation.url}/v1/profiles/{answer['user']['id']}", timeout=10).json()
    assert profile["full_name"] == "Valjean"
    return int(profile["following_count"])
