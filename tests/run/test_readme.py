"""The README and the operators' manual: the shown commands work, and links resolve."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import get_commands

from tests.run.installation import ROOT, started, until

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OPERATING = ROOT / "docs" / "operating.md"


def test_the_tour_of_the_readme_works(tmp_path: Path) -> None:
    with started(tmp_path / "var") as installation:
        tour = _tour().replace("http://127.0.0.1:8000", installation.url)
        reacted, feed, searched = _pasted(tour)
        assert (reacted["my_reaction"], reacted["reactions"]["love"]) == ("love", 1)
        assert [post["content"] for post in feed["results"]] == ["Hello #world"]
        assert feed["results"][0]["my_reaction"] == "love"
        assert {"results", "next", "previous"} <= searched.keys()
        search = installation.url + "/v1/search" + tour.partition("$API/search")[2].partition('"')[0]
        until(lambda: _found(search) == ["Hello #world"], why="search did not find the post")


def _tour() -> str:
    """The block of the README that is marked for this test."""
    found = re.findall(
        r"<!-- tests/run/test_readme\.py runs this block\. -->\n```sh\n(.*?)```", _text("README.md"), re.S
    )
    assert len(found) == 1
    assert found[0].count("http://127.0.0.1:8000") == 1, "the port must be set in one place"
    return str(found[0])


def _pasted(tour: str) -> list[dict[str, Any]]:
    """Runs the script; returns its output, one JSON document per line."""
    environment = {**os.environ, "no_proxy": "127.0.0.1"}
    shell = ["sh", "-eu"]
    done = subprocess.run(shell, input=tour, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _found(search: str) -> list[str]:
    results = httpx.get(search, timeout=10).json()["results"]
    return [result["item"]["content"] for result in results]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_resolve(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text())
    files = [target for target in targets if "://" not in target]
    assert [target for target in files if not (document.parent / target).exists()] == []


def test_the_variables_of_the_readme_are_in_env_example() -> None:
    rows = re.findall(r"^\| (`[A-Z].*?) \|", _text("README.md"), re.M)
    named = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    assert named
    assert {name for name in named if not re.search(rf"\b{name}=", _text(".env.example"))} == set()


def test_the_documented_commands_exist() -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", OPERATING.read_text()))
    assert named >= {"bus", "erasure", "search", "doctor", "migrate_all"}
    assert named - get_commands().keys() == set()


def _text(name: str) -> str:
    return (ROOT / name).read_text()
