"""Elasticsearch goes away: only search says so, at once; afterwards the index equals the database."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.installation import Installation, as_json
from tests.faults.servers import Elasticsearch
from tests.scenarios.product import eventually


@pytest.fixture
def searching(folder: Path, town: Installation) -> Iterator[tuple[Installation, Elasticsearch]]:
    """The installation with Elasticsearch behind its search."""
    server = Elasticsearch(folder)
    server.start()
    try:
        town.run_only()
        town.environment["ELASTICSEARCH_URL"] = server.url
        town.manage("search", "reindex", "--json")
        town.run_only("web", "relay", "worker", "beat")
        yield town, server
    finally:
        town.run_only()
        town.environment.pop("ELASTICSEARCH_URL", None)
        server.stop()


def test_down_for_a_while(searching: tuple[Installation, Elasticsearch]) -> None:
    town, server = searching
    ada, bob = town.join("ada"), town.join("bob")
    first = ada.write("a findable walrus")["id"]

    def found(word: str) -> list[str]:
        answer = bob.get(f"/v1/search?q={word}&type=posts")
        assert answer.status_code == 200, answer.text
        return [result["item"]["id"] for result in answer.json()["results"]]

    eventually(lambda: found("walrus") == [first], seconds=30)
    server.kill()
    started = time.monotonic()
    refused = town.http.get(f"{town.url}/v1/search?q=walrus&type=posts")
    assert (refused.status_code, refused.json()["code"]) == (503, "search_unavailable")
    assert time.monotonic() - started < 5
    edited = ada.patch(f"/v1/posts/{first}", {"content": "a findable seal"})
    assert edited.status_code == 200
    gone = ada.write("a short-lived penguin")["id"]
    assert ada.delete(f"/v1/posts/{gone}").status_code == 204
    second = ada.write("a findable penguin")["id"]
    for path in ("/v1/feed", f"/v1/posts/{second}", f"/v1/profiles/{ada.id}", "/v1/notifications"):
        assert bob.get(path).status_code == 200, path
    eventually(lambda: town.posts_count(ada) == 2, seconds=30)
    server.start()
    eventually(lambda: (found("walrus"), found("seal"), found("penguin")) == ([], [first], [second]), seconds=90)
    eventually(town.settled, seconds=90)
    verified = as_json(town.manage("search", "verify", "--json").stdout)
    assert verified["equal"] is True
