"""The API of metrics, with real posts, comments, reactions and follows; only authors see their numbers."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


@pytest.fixture
def ann(register: Callable[..., Person]) -> Person:
    return register("ann")


@pytest.fixture
def ben(register: Callable[..., Person]) -> Person:
    return register("ben")


@pytest.fixture
def post_id(ann: Person, drain: Callable[[], int]) -> str:
    answer = ann.client.post("/v1/posts", {"content": "hello"})
    assert answer.status_code == 201
    drain()
    return str(answer.json()["id"])


def numbers(body: dict[str, Any], *names: str) -> list[int]:
    return [body[name] for name in names or ("views", "reactions", "comments", "reposts")]


def test_an_author_sees_numbers_of_others_activity(
    ann: Person, ben: Person, post_id: str, drain: Callable[[], int]
) -> None:
    comment = ben.client.post(f"/v1/posts/{post_id}/comments", {"content": "hi"}).json()["id"]
    for kind in ("like", "love"):
        assert ben.client.put(f"/v1/posts/{post_id}/reaction", {"reaction_type": kind}).status_code == 200
    assert ben.client.put(f"/v1/posts/{post_id}/repost").status_code == 200
    assert ben.client.put(f"/v1/profiles/{ann.id}/follow").status_code == 200
    drain()
    body = ann.client.get(f"/v1/posts/{post_id}/metrics").json()
    assert numbers(body)[1:] == [1, 1, 1]
    assert numbers(body["by_day"][-1])[1:] == [1, 1, 1]
    assert len(body["by_day"]) == 1
    mine = ann.client.get("/v1/metrics/me").json()
    assert numbers(mine, "reactions", "comments", "reposts", "posts", "followers") == [1, 1, 1, 1, 1]
    assert len(mine["by_day"]) == 30
    assert mine["by_day"][-1]["followers"] == 1

    ben.client.delete(f"/v1/posts/{post_id}/reaction")
    ben.client.delete(f"/v1/posts/{post_id}/repost")
    ben.client.delete(f"/v1/comments/{comment}")
    ben.client.delete(f"/v1/profiles/{ann.id}/follow")
    drain()
    assert numbers(ann.client.get(f"/v1/posts/{post_id}/metrics").json())[1:] == [0, 0, 0]
    mine = ann.client.get("/v1/metrics/me").json()
    assert numbers(mine, "reactions", "comments", "reposts", "posts", "followers") == [0, 0, 0, 1, 0]


def test_only_the_author_may_see_the_numbers(
    ann: Person, ben: Person, post_id: str, anonymous: JsonClient, drain: Callable[[], int]
) -> None:
    path = f"/v1/posts/{post_id}/metrics"
    assert ann.client.get(path).status_code == 200
    seen = ben.client.get(path)
    assert (seen.status_code, seen.json()["code"]) == (403, "not_author")
    assert anonymous.get(path).status_code == 401
    assert anonymous.get("/v1/metrics/me").status_code == 401
    assert ben.client.get("/v1/posts/5/metrics").status_code == 404
    private = ann.client.post("/v1/posts", {"content": "hush", "is_private": True}).json()["id"]
    drain()
    assert ben.client.get(f"/v1/posts/{private}/metrics").status_code == 404
    assert ann.client.get(f"/v1/posts/{private}/metrics").status_code == 200
    ann.client.put(f"/v1/profiles/{ben.id}/block")
    drain()
    assert ben.client.get(path).status_code == 404
    ann.client.delete(f"/v1/posts/{post_id}")
    assert ann.client.get(path).status_code == 404


def test_unchanged_numbers_get_304(ann: Person, ben: Person, post_id: str, drain: Callable[[], int]) -> None:
    for path in (f"/v1/posts/{post_id}/metrics", "/v1/metrics/me"):
        tag = ann.client.get(path)["ETag"]
        assert ann.client.get(path, If_None_Match=tag).status_code == 304
        ben.client.post(f"/v1/posts/{post_id}/comments", {"content": "hi"})
        drain()
        assert ann.client.get(path, If_None_Match=tag).status_code == 200


def test_a_deleted_post_no_longer_counts(ann: Person, ben: Person, post_id: str, drain: Callable[[], int]) -> None:
    ben.client.put(f"/v1/posts/{post_id}/reaction", {"reaction_type": "like"})
    ben.client.post(f"/v1/posts/{post_id}/comments", {"content": "hi"})
    drain()
    ann.client.delete(f"/v1/posts/{post_id}")
    drain()
    mine = ann.client.get("/v1/metrics/me").json()
    assert numbers(mine, "views", "reactions", "comments", "reposts", "posts") == [0, 0, 0, 0, 0]


def test_erasing_an_account_erases_its_numbers(
    ann: Person, ben: Person, post_id: str, drain: Callable[[], int]
) -> None:
    from apps.metrics.models import AuthorRollup, MetricDelta, Post, PostRollup

    ben.client.put(f"/v1/posts/{post_id}/reaction", {"reaction_type": "like"})
    drain()
    assert ann.client.delete("/v1/auth/me", {"password": "correct horse battery"}).status_code == 202
    drain()
    owned = {"author_id": int(ann.id)}
    assert not Post.objects.filter(**owned).exists()
    assert not AuthorRollup.objects.filter(**owned).exists()
    assert not MetricDelta.objects.filter(**owned).exists()
    assert not MetricDelta.objects.filter(post_id=int(post_id)).exists()
    assert not PostRollup.objects.filter(post_id=int(post_id)).exists()
