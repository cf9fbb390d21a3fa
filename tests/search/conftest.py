"""Runs the tests of search on both back ends: SQLite's FTS5 and, if ELASTICSEARCH_URL is set, Elasticsearch."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings as django_settings

from tests.conftest import JsonClient, Person, deliver_outbox
from tests.factories import create_post

ELASTICSEARCH_URL = os.environ.get("TEST_ELASTICSEARCH_URL", os.environ.get("ELASTICSEARCH_URL", ""))

BACKENDS = [
    pytest.param(
        "sqlite",
        marks=pytest.mark.skipif(
            "sqlite" not in django_settings.DATABASES["search"]["ENGINE"],
            reason="the database of search is not SQLite",
        ),
    ),
    pytest.param(
        "elasticsearch", marks=pytest.mark.skipif(not ELASTICSEARCH_URL, reason="ELASTICSEARCH_URL is not set")
    ),
]


@dataclass
class Searching:
    """What tests do with search: write posts, deliver events, search."""

    backend: str

    def settle(self) -> None:
        """Delivers all events and refreshes Elasticsearch, so that searches find what was indexed."""
        deliver_outbox()
        if self.backend == "elasticsearch":
            from apps.search.models.documents import elasticsearch
            from apps.search.queries.elastic import read_alias

            elasticsearch().indices.refresh(index=f"{read_alias()}*", ignore_unavailable=True)

    def forget_old_versions(self) -> None:
        """Makes Elasticsearch drop replaced documents, which still count in its term statistics and so in scores."""
        if self.backend == "elasticsearch":
            from apps.search.models.documents import elasticsearch
            from apps.search.queries.elastic import read_alias

            client = elasticsearch().options(request_timeout=30)
            client.indices.forcemerge(index=read_alias(), max_num_segments=1)
            client.indices.refresh(index=read_alias())

    def post(self, person: Person, content: str, **extra: Any) -> str:
        """Writes a post; returns its id."""
        return str(create_post(person, content=content, **extra)["id"])

    def page(self, client: JsonClient, q: str, **parameters: Any) -> dict[str, Any]:
        """A page of results."""
        from urllib.parse import urlencode

        answer = client.get(f"/v1/search?{urlencode({'q': q, **parameters})}")
        assert answer.status_code == 200, answer.content
        return dict(answer.json())

    def contents(self, client: JsonClient, q: str, **parameters: Any) -> list[str]:
        """The texts of the found posts."""
        results = self.page(client, q, **{"type": "posts", **parameters})["results"]
        assert all(result["type"] == "post" for result in results)
        return [result["item"]["content"] for result in results]

    def names(self, client: JsonClient, q: str) -> list[str]:
        """The usernames of the found users."""
        results = self.page(client, q, type="users")["results"]
        assert all(result["type"] == "user" for result in results)
        return [result["item"]["username"] for result in results]

    def tags(self, client: JsonClient, q: str) -> list[tuple[str, int]]:
        """The found hashtags with their counts."""
        results = self.page(client, q, type="hashtags")["results"]
        assert all(result["type"] == "hashtag" for result in results)
        return [(result["item"]["name"], result["item"]["posts_count"]) for result in results]


def remove_indices() -> None:
    """Removes all indices of this test run."""
    from apps.search.models.documents import elasticsearch
    from apps.search.queries.elastic import read_alias

    client = elasticsearch().options(request_timeout=30)
    for name in client.indices.get(index=f"{read_alias()}-*"):
        client.indices.delete(index=name, ignore_unavailable=True)


@pytest.fixture(params=BACKENDS)
def searching(request: pytest.FixtureRequest, settings: Any, db: None) -> Iterator[Searching]:
    """Search on one of the back ends, with an empty index."""
    settings.ELASTICSEARCH_URL = ELASTICSEARCH_URL if request.param == "elasticsearch" else ""
    settings.ELASTICSEARCH_PREFIX = f"{django_settings.ELASTICSEARCH_PREFIX}-test"
    if request.param == "elasticsearch":
        remove_indices()
    yield Searching(request.param)
    if request.param == "elasticsearch":
        remove_indices()


@pytest.fixture
def people(searching: Searching, register: Callable[..., Person]) -> dict[str, Person]:
    """Alice, Bob and Carol, who do not follow each other."""
    return {name: register(name) for name in ("alice", "bob", "carol")}
