"""Elasticsearch is down: only search returns 503, at once; afterwards the index equals the database."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.installation import Installation, Post, as_json
from tests.faults.servers import Elasticsearch
from tests.faults.sizes import SETTLE_SECONDS, size
from tests.scenarios.product import Member, eventually

POSTS = size(30, 500)
DOWN_SECONDS = size(0, 60)  # longer than it takes to write the posts
BUSY_SECONDS = 4.0  # that a busy machine may add
CAUGHT_UP_SECONDS = 60


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Elasticsearch]:
    server = Elasticsearch(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def _searching(server: Elasticsearch, _installation: Installation) -> Iterator[None]:
    """The installation's search uses Elasticsearch, with an index of everything that exists."""
    _installation.resume()
    eventually(_installation.confirmed, seconds=SETTLE_SECONDS)
    _installation.run_only()
    _installation.environment["ELASTICSEARCH_URL"] = server.url
    try:
        _installation.manage("search", "reindex", "--json")
        yield
    finally:
        _installation.run_only()
        del _installation.environment["ELASTICSEARCH_URL"]
        _installation.manage("search", "reindex")  # the index of the other tests misses these changes


@pytest.fixture
def searching(server: Elasticsearch, _searching: None, installation: Installation) -> Installation:
    """The installation with Elasticsearch behind its search."""
    server.repair()
    return installation


def _found(reader: Member, word: str) -> list[str]:
    answer = reader.product.http.get(
        f"{reader.product.url}/v1/search?q={word}&type=posts", headers={"Authorization": f"Bearer {reader.access}"}
    )
    assert answer.status_code == 200, answer.text
    return [result["item"]["id"] for result in answer.json()["results"]]


def _is_refused(installation: Installation, fault: str) -> None:
    """Only search returns 503: at once, or when its time limit is over if Elasticsearch hangs."""
    limit = float(installation.environment["ELASTICSEARCH_SECONDS"])
    started = time.monotonic()
    refused = installation.http.get(f"{installation.url}/v1/search?q=walrus&type=posts")
    took = time.monotonic() - started
    assert (refused.status_code, refused.json()["code"]) == (503, "search_unavailable")
    assert took < (limit if fault == "hung" else 0) + BUSY_SECONDS
    installation.note("a search refused after", f"{took:.2f} s, with a time limit of {limit:g} s")


def _all_else_works(reader: Member, author: Member, post_id: str) -> None:
    for path in ("/v1/feed", f"/v1/posts/{post_id}", f"/v1/profiles/{author.id}", "/v1/notifications"):
        assert reader.get(path).status_code == 200, path
    answer = reader.put(f"/v1/posts/{post_id}/reaction", {"reaction_type": "like"})
    assert answer.status_code == 200


def _write_without_index(installation: Installation, ada: Member, bob: Member, old: Post) -> list[Post]:
    """Edits and deletes what was found before, and writes more; returns the final contents."""
    assert old.answer is not None
    assert ada.patch(f"/v1/posts/{old.answer['id']}", {"content": "a findable seal"}).status_code == 200
    posts = [Post(ada, f"a findable penguin {number}", f"penguin {number}") for number in range(POSTS)]
    for post in posts:
        assert installation.send(post).status_code == 201
    gone, *kept = posts
    assert gone.answer is not None
    assert ada.delete(f"/v1/posts/{gone.answer['id']}").status_code == 204
    _all_else_works(bob, ada, old.answer["id"])
    eventually(lambda: installation.posts_count(ada) == POSTS, seconds=SETTLE_SECONDS)
    return [old, *kept]


def _stay_down_for_long(installation: Installation) -> None:
    """Waits until all pending events were retried so often that they would be dead letters if they were at fault."""
    with closing(installation.search_database()) as search:

        def number_of(rows: str) -> int:
            return int(search.execute(f"SELECT COUNT(*) FROM bus_failed_delivery {rows}").fetchone()[0])

        eventually(lambda: number_of("") > POSTS, seconds=SETTLE_SECONDS)
        time.sleep(DOWN_SECONDS)
        search.execute("UPDATE bus_failed_delivery SET attempts = 6, retry_at = failed_at")
        search.commit()
        eventually(lambda: not number_of("WHERE attempts >= 6"), seconds=SETTLE_SECONDS)


@pytest.mark.parametrize("fault", ["hung", "killed"])
def test_elasticsearch_down_for_a_while(searching: Installation, server: Elasticsearch, fault: str) -> None:
    installation = searching
    ada, bob = installation.join("ada"), installation.join("bob")
    bob.follow(ada)
    old = Post(ada, f"a findable walrus of {ada.username}", "walrus")
    assert installation.send(old).status_code == 201
    assert old.answer is not None
    old_id = old.answer["id"]
    eventually(lambda: old_id in _found(bob, "walrus"), seconds=SETTLE_SECONDS)
    if fault == "killed":
        server.kill()
        _is_refused(installation, fault)
        posts = _write_without_index(installation, ada, bob, old)
        _stay_down_for_long(installation)
        server.start()
    else:
        with server.hung():
            _is_refused(installation, fault)
            posts = _write_without_index(installation, ada, bob, old)
            _stay_down_for_long(installation)
    installation.within(
        CAUGHT_UP_SECONDS, installation.settled, f"index caught up with {POSTS} posts after Elasticsearch was {fault}"
    )
    eventually(lambda: _found(bob, f'"seal" from:{ada.username}') == [old_id], seconds=SETTLE_SECONDS)
    eventually(lambda: _found(bob, f"walrus from:{ada.username}") == [], seconds=SETTLE_SECONDS)
    verified = as_json(installation.manage("search", "verify", "--json").stdout)
    assert verified["equal"] is True
    installation.assert_all_agree(posts, [ada, bob])
