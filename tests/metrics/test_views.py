"""Views: everybody except the author counts as a reader of a post, once a day."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from apps.posts.actions import count_impressions, flush_views, reader_of
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def numbers(author: Person, post_id: str, drain: Callable[[], int]) -> tuple[int, int]:
    """The views and impressions of a post."""
    flush_views()
    drain()
    body = author.client.get(f"/v1/posts/{post_id}/metrics").json()
    return body["views"], body["impressions"]


def test_a_reader_counts_once_a_day_and_neither_head_nor_the_author_count(
    register: Callable[..., Person], anonymous: JsonClient, drain: Callable[[], int]
) -> None:
    ann, ben = register("ann"), register("ben")
    post_id = str(ann.client.post("/v1/posts", {"content": "hello"}).json()["id"])
    path = f"/v1/posts/{post_id}"
    for _ in range(5):
        for reader in (ann.client, ben.client, anonymous):
            assert reader.get(path).status_code == 200
        assert anonymous.request("HEAD", path).status_code == 200
    assert numbers(ann, post_id, drain) == (2, 0), "ben and one anonymous address"
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1)):
        count_again = reader_of(viewer_id=int(ben.id), address="")
    assert count_again != reader_of(viewer_id=int(ben.id), address=""), "readers have another pseudonym each day"
    assert ben.id not in count_again


def test_impressions_are_counted_separately_and_once_a_day(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    ann = register("ann")
    posts = [str(ann.client.post("/v1/posts", {"content": f"hello {number}"}).json()["id"]) for number in range(2)]
    for reader in ("a", "a", "b"):
        count_impressions(authors={int(posts[0]): int(ann.id)}, reader=reader)
    count_impressions(authors={int(post_id): int(ann.id) for post_id in posts}, reader="a")
    assert numbers(ann, posts[0], drain) == (0, 2)
    assert numbers(ann, posts[1], drain) == (0, 1)


def test_hashtags_trend_by_number_of_authors_not_posts(
    register: Callable[..., Person], anonymous: JsonClient, drain: Callable[[], int]
) -> None:
    people = [register(name) for name in ("ann", "ben", "cat")]
    for _ in range(5):
        people[0].client.post("/v1/posts", {"content": "#loud"})
    for person in people[1:]:
        person.client.post("/v1/posts", {"content": "#shared"})
    drain()
    found = anonymous.get("/v1/hashtags/trending").json()["results"]
    assert [tag["posts_count"] for tag in found] == [2, 5]
