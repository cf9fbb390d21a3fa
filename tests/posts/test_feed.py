"""The home feed: whose posts it shows, in which order, on which page, and for how many queries."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.posts.actions.feed import store
from apps.posts.models import FeedEpoch, PopularAuthor, Post, Repost
from apps.posts.queries import Span, feed_entries, feed_source
from socialapp.contracts.users import Users
from socialapp.core.cache import redis_client
from socialapp.core.ids import first_id_at
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS, Person
from tests.posts.conftest import feed_key, ids_of, read_all, shown

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_own_posts_and_those_of_people_followed(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    drain: Callable[[], int],
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    follow(alice, bob)
    own, bobs, _ = write(alice), write(bob), write(carol)
    drain()
    assert ids_of(read_all(alice.client, "/v1/feed")) == [bobs["id"], own["id"]]
    later = write(bob)
    assert redis_client().exists(feed_key(alice))
    drain()
    assert ids_of(read_all(alice.client, "/v1/feed")) == [later["id"], bobs["id"], own["id"]]
    assert alice.client.get("/v1/feed").json()["results"][0] == alice.client.get(f"/v1/posts/{later['id']}").json()


@pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)
def test_the_own_post_is_in_the_feed_right_after_it_was_written(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]]
) -> None:
    alice = register("alice")
    assert shown(alice) == []
    post = write(alice)
    assert redis_client().lrange(feed_key(alice), 0, 0) == [post["id"].encode()]
    assert shown(alice) == [(post["id"], None)]


def test_following_and_unfollowing_show_at_once(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], drain: Callable[[], int]
) -> None:
    alice, bob = register("alice"), register("bob")
    post = write(bob)
    drain()
    assert shown(alice) == []
    alice.client.put(f"/v1/profiles/{bob.id}/follow")
    assert shown(alice) == [(post["id"], None)]
    alice.client.delete(f"/v1/profiles/{bob.id}/follow")
    assert shown(alice) == []


def test_a_repost_is_shown_once_and_not_beside_the_original(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    drain: Callable[[], int],
) -> None:
    alice, bob, carol, dave = (register(name) for name in ("alice", "bob", "carol", "dave"))
    follow(alice, bob)
    follow(alice, carol)
    post = write(dave)
    assert shown(alice) == []
    for person in (carol, bob):
        assert person.client.put(f"/v1/posts/{post['id']}/repost").status_code == 200
    drain()
    assert shown(alice) == [(post["id"], min(bob.id, carol.id))]
    follow(alice, dave)
    assert shown(alice) == [(post["id"], None)]
    alice.client.delete(f"/v1/profiles/{dave.id}/follow")
    bob.client.delete(f"/v1/posts/{post['id']}/repost")
    assert shown(alice) == [(post["id"], carol.id)]
    dave.client.patch(f"/v1/posts/{post['id']}", {"is_private": True})
    assert shown(alice) == []


def test_a_repost_that_was_taken_back_or_is_by_somebody_muted_is_not_shown(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    drain: Callable[[], int],
) -> None:
    alice, bob, carol, dave = (register(name) for name in ("alice", "bob", "carol", "dave"))
    follow(alice, bob)
    follow(alice, carol)
    post = write(dave)
    for person in (bob, carol):
        assert person.client.put(f"/v1/posts/{post['id']}/repost").status_code == 200
    drain()
    assert shown(alice) == [(post["id"], bob.id)]
    # The list in Redis still names both.
    alice.client.put(f"/v1/profiles/{bob.id}/mute")
    assert shown(alice) == [(post["id"], carol.id)]
    carol.client.delete(f"/v1/posts/{post['id']}/repost")
    assert shown(alice) == []
    alice.client.delete(f"/v1/profiles/{bob.id}/mute")
    assert shown(alice) == [(post["id"], bob.id)]
    bob.client.delete(f"/v1/posts/{post['id']}/repost")
    assert shown(alice) == []
    assert len(redis_client().lrange(feed_key(alice), 0, -1)) == 3


def test_pages_neither_skip_nor_repeat_while_posts_are_added(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    drain: Callable[[], int],
) -> None:
    alice, bob = register("alice"), register("bob")
    follow(alice, bob)
    old = [write(bob, f"old {number}")["id"] for number in range(7)][::-1]
    drain()
    read, url = [], "/v1/feed?limit=2"
    while url:
        page = alice.client.get(url.removeprefix("http://testserver")).json()
        read += ids_of(page["results"])
        url, back = page["next"], page["previous"]
        write(bob, "new")
        drain()
        if len(read) == 4:
            redis_client().flushdb()
    assert read == old
    page = alice.client.get(back.removeprefix("http://testserver")).json()
    assert ids_of(page["results"]) == old[-3:-1]


def test_reading_backwards_gives_the_same_order(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    drain: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "CAP", 4)
    alice, bob = register("alice"), register("bob")
    follow(alice, bob)
    expected = [write(bob, str(number))["id"] for number in range(11)][::-1]
    drain()
    for limit in (1, 2, 3, 5):
        pages, url = [], f"/v1/feed?limit={limit}"
        while url:
            answer = alice.client.get(url.removeprefix("http://testserver")).json()
            pages.append(ids_of(answer["results"]))
            url, back = answer["next"], answer["previous"]
        assert [post_id for page in pages for post_id in page] == expected
        backwards = [pages[-1]]
        while back:
            answer = alice.client.get(back.removeprefix("http://testserver")).json()
            if not answer["results"]:
                break
            backwards.append(ids_of(answer["results"]))
            back = answer["previous"]
        assert [post_id for page in reversed(backwards) for post_id in page] == expected


def test_hidden_posts_do_not_end_a_page_early(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    drain: Callable[[], int],
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    follow(alice, bob)
    follow(alice, carol)
    first = write(bob)
    for _ in range(12):
        write(carol)
    last = write(bob)
    drain()
    assert alice.client.put(f"/v1/profiles/{carol.id}/mute").status_code == 200
    page = alice.client.get("/v1/feed?limit=2").json()
    assert ids_of(page["results"]) == [last["id"], first["id"]]


def queries_of(person: Person, path: Any) -> Any:
    """How many statements a request takes, over all databases."""
    captures = [CaptureQueriesContext(connections[alias]) for alias in ALL_CONTEXTS]
    for capture in captures:
        capture.__enter__()
    try:
        assert person.client.get(path).status_code == 200
    finally:
        for capture in captures:
            capture.__exit__(None, None, None)
    return sum(len(capture) for capture in captures)


def test_a_page_takes_the_same_queries_whatever_its_size(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    drain: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "_EPOCH_SECONDS", 600)  # a slow machine would have it asked for in between
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    follow(alice, bob)
    for number in range(50):
        write(bob if number % 2 else alice, f"#tag @carol {number}")
    post = write(carol, "#tag")
    bob.client.put(f"/v1/posts/{post['id']}/repost")
    for item in read_all(bob.client, "/v1/hashtags/tag/posts"):
        alice.client.put(f"/v1/posts/{item['id']}/bookmark")
    drain()
    for path in ("/v1/feed", f"/v1/profiles/{bob.id}/posts", "/v1/hashtags/tag/posts", "/v1/bookmarks"):
        alice.client.get(path)
        assert queries_of(alice, f"{path}?limit=1") == queries_of(alice, f"{path}?limit=50"), path
    assert queries_of(alice, "/v1/feed") <= 12
    assert client(Users).following(user_id=int(alice.id)).ids == [int(bob.id)]


@pytest.mark.parametrize("days", [0, 7, 1000])
@pytest.mark.parametrize("position", [None, 6])
def test_of_many_authors_the_newest_posts_come_first_whenever_they_were_written(
    monkeypatch: pytest.MonkeyPatch, days: int, position: int | None
) -> None:
    now = timezone.now()
    ids = [first_id_at(now - timedelta(days=4 * age)) for age in range(10)]
    Post.objects.bulk_create(
        Post(id=post_id, user_id=1 + place % 3, content="a post", created_at=now, updated_at=now)
        for place, post_id in enumerate(ids)
    )
    span = Span(None if position is None else ids[position], limit=2)
    expected = [post_id for place, post_id in enumerate(ids) if place % 3 < 2 and place > (position or -1)][:2]
    monkeypatch.setattr("apps.posts.queries.feed._MANY_AUTHORS", 2)
    monkeypatch.setattr("apps.posts.queries.feed._RECENT_PERIODS", (timedelta(days=days), timedelta(days=2 * days)))
    assert [entry.post_id for entry in feed_entries(author_ids=[1, 2], reposter_ids=[], span=span)] == expected


def test_a_feed_of_many_authors_keeps_reposts_and_the_epoch_when_it_looks_further_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = timezone.now()
    written, reposted = (first_id_at(now - timedelta(days=days)) for days in (400, 300))
    Post.objects.bulk_create(
        Post(id=post_id, user_id=user_id, content="a post", created_at=now, updated_at=now)
        for post_id, user_id in ((written, 1), (reposted, 3))
    )
    Repost.objects.create(user_id=2, post_id=reposted, created_at=now)
    FeedEpoch.objects.update_or_create(defaults={"number": 5})
    PopularAuthor.objects.create(user_id=9)
    monkeypatch.setattr("apps.posts.queries.feed._MANY_AUTHORS", 2)
    source = feed_source(author_ids=[1, 2], reposter_ids=[2], limit=10)
    assert [entry.post_id for entry in source.entries] == [reposted, written]
    assert source.entries[0].reposter_ids == {2}
    assert (source.epoch, source.popular_ids) == (5, {9})
