"""The first `./run`: it answers while the demo data are being made, goes on making them when interrupted, and once."""

import json
from pathlib import Path

import httpx
import pytest

from tests.run.installation import Installation, started, until

_SECONDS = 240.0


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """This test starts a product with a Redis of its own."""


def test_demo_data_are_made_while_it_answers_and_only_once(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    done = data_dir / "run" / "demo-data.done"
    with started(data_dir, demo=True, first=True) as first:
        assert not done.exists(), "it must answer before the demo is made"
        until((data_dir / "demo.json").exists, seconds=_SECONDS, why="no demo was begun")
        account = json.loads((data_dir / "demo.json").read_text())
    with started(data_dir, demo=True) as second:
        until(done.exists, seconds=_SECONDS, why=f"the demo was not made:\n{first.said()}")
        assert json.loads((data_dir / "demo.json").read_text()) == account
        assert _follows_of(second, account)
        until(lambda: f"log in as {account['username']}" in second.said(), seconds=5, why="the account was not printed")
    with started(data_dir, demo=True) as third:
        until(lambda: f"log in as {account['username']}" in third.said(), seconds=5, why="the account was not printed")
        assert "making demo data" not in third.said()


def _follows_of(installation: Installation, account: dict[str, str]) -> int:
    login = {"login": account["username"], "password": account["password"]}
    answer = httpx.post(f"{installation.url}/v1/auth/login", json=login, timeout=10).json()
    profile = httpx.get(f"{installation.url}/v1/profiles/{answer['user']['id']}", timeout=10).json()
    assert profile["full_name"] == "Valjean"
    return int(profile["following_count"])
