"""The lists of feeds in Redis: equal to what the database says, whatever Redis holds, loses or refuses."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.posts.actions.feed import builder, epochs, store
from apps.posts.models import PopularAuthor
from apps.posts.queries import feed_epoch
from socialapp.contracts.posts import Posts
from socialapp.core.cache import redis_client
from socialapp.messaging.delivery import deliver
from socialapp.messaging.envelope import decode
from socialapp.messaging.models import FailedDelivery, InboxEntry, OutboxEvent
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS, Person, deliver_outbox
from tests.posts.conftest import feed_key, shown

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_beyond_the_cap_pages_are_read_from_the_database(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    drain: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "CAP", 5)
    monkeypatch.setattr(store, "_SLACK", 2)
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    follow(alice, bob)
    foreign = write(carol)["id"]
    expected: list[Any] = []
    for number in range(30):
        expected.insert(0, (write(bob, str(number))["id"], None))
        if number == 17:
            assert bob.client.put(f"/v1/posts/{foreign}/repost").status_code == 200
        if number % 3 == 0:
            drain()
            assert shown(alice, limit=4) == expected + ([(foreign, bob.id)] if number >= 17 else [])
    drain()
    assert redis_client().llen(feed_key(alice)) <= 8
    assert shown(alice, limit=100) == [*expected, (foreign, bob.id)]


def test_duplicate_and_late_fan_out_changes_nothing(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    drain: Callable[[], int],
) -> None:
    alice, bob = register("alice"), register("bob")
    follow(alice, bob)
    assert shown(alice) == []
    kept, deleted = write(bob), write(bob)
    drain()
    assert redis_client().llen(feed_key(alice)) == 3
    assert bob.client.delete(f"/v1/posts/{deleted['id']}").status_code == 204
    InboxEntry.objects.using("posts").all().delete()
    OutboxEvent.objects.using("posts").filter(type="posts.post_created.v1").update(state=OutboxEvent.State.NEW)
    drain()
    assert redis_client().llen(feed_key(alice)) == 3
    assert shown(alice) == [(kept["id"], None)]


def test_many_followers_are_reached_page_by_page(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    drain: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("apps.posts.handlers.FAN_OUT_BATCH", 2)
    monkeypatch.setattr("apps.posts.actions.feed.fan_out.FAN_OUT_BATCH", 2)
    bob = register("bob")
    followers = [register(f"follower{number}") for number in range(5)]
    for person in followers:
        follow(person, bob)
        assert shown(person) == []
    post = write(bob)
    drain()
    continued = OutboxEvent.objects.using("posts").filter(type="posts.fan_out_continued.v1").order_by("id")
    assert [len(decode(event.envelope).data) for event in continued] == [4, 4]
    for person in followers:
        assert redis_client().lindex(feed_key(person), 0) == post["id"].encode()
        assert shown(person) == [(post["id"], None)]


def test_posts_of_popular_authors_are_merged_in_on_read(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    drain: Callable[[], int],
    settings: Any,
) -> None:
    settings.POPULAR_FOLLOWERS = 2
    star, dave, fans = register("star"), register("dave"), [register(f"fan{number}") for number in range(3)]
    follow(fans[0], star)
    follow(fans[1], star)
    first = write(star)
    drain()
    assert shown(fans[0]) == [(first["id"], None)]
    follow(fans[2], star)
    own = write(fans[0])
    drain()
    assert shown(fans[0]) == [(own["id"], None), (first["id"], None)]
    assert not PopularAuthor.objects.exists()
    second, foreign = write(star), write(dave)
    assert star.client.put(f"/v1/posts/{foreign['id']}/repost").status_code == 200
    drain()
    assert PopularAuthor.objects.get().user_id == int(star.id)
    assert second["id"].encode() not in redis_client().lrange(feed_key(fans[0]), 0, -1)
    expected = [(foreign["id"], star.id), (second["id"], None), (own["id"], None), (first["id"], None)]
    assert shown(fans[0]) == shown(fans[0], limit=1) == expected
    # Who was popular once is merged in for ever: what was not pushed must not vanish with the followers.
    fans[2].client.delete(f"/v1/profiles/{star.id}/follow")
    third = write(star)
    drain()
    assert shown(fans[0]) == [(third["id"], None), *expected]
    redis_client().flushdb()
    assert shown(fans[0]) == [(third["id"], None), *expected]


def test_a_post_that_is_fanned_out_while_the_feed_is_built_is_not_lost(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    drain: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice, bob = register("alice"), register("bob")
    follow(alice, bob)
    before = write(bob)
    drain()
    written: dict[str, Any] = {}
    asked = builder.feed_source  # type: ignore[attr-defined]

    def meanwhile(**arguments: Any) -> Any:
        if not written:
            written["post"] = None
            written["post"] = write(bob)
            drain()
        return asked(**arguments)

    # The moment after the list was made and before the database is asked.
    monkeypatch.setattr(builder, "feed_source", meanwhile)
    assert shown(alice) == [(written["post"]["id"], None), (before["id"], None)]

    finish = store.finish_feed
    late = {}

    def after_asking(**arguments: Any) -> None:
        late["post"] = write(bob)
        drain()
        finish(**arguments)

    # The moment after the database was asked: what is pushed now stands in the list alone.
    redis_client().flushdb()
    monkeypatch.setattr(store, "finish_feed", after_asking)
    shown(alice)
    assert redis_client().lindex(store.feed_key(int(alice.id)), 0) == late["post"]["id"].encode()
    assert shown(alice)[0] == (late["post"]["id"], None)


def test_feeds_without_a_post_are_reported(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    drain: Callable[[], int],
) -> None:
    alice, bob, carol, dave = (register(name) for name in ("alice", "bob", "carol", "dave"))
    for person in (alice, carol):
        follow(person, bob)
    shown(alice)
    shown(bob)
    foreign, post = write(dave), write(bob)
    everybody = [int(person.id) for person in (alice, bob, carol)]

    def lacking(post: dict[str, Any]) -> list[int]:
        return client(Posts).feeds_without(post_id=int(post["id"]), user_ids=everybody)

    assert lacking(post) == [int(alice.id), int(bob.id)]  # Carol's is not in Redis
    drain()
    assert lacking(post) == []
    assert lacking(foreign) == [int(alice.id), int(bob.id)]
    bob.client.put(f"/v1/posts/{foreign['id']}/repost")
    drain()
    assert lacking(foreign) == [int(bob.id)]
    PopularAuthor.objects.create(user_id=int(dave.id))
    assert lacking(foreign) == []


def test_a_feed_list_that_survives_an_outage_of_redis_has_no_gap(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    redis_down: Any,
) -> None:
    alice, bob = register("alice"), register("bob")
    follow(alice, bob)
    before = write(bob)
    deliver_outbox()
    assert shown(alice) == [(before["id"], None)]
    redis_down(True)
    missed = write(bob)
    event = OutboxEvent.objects.using("posts").get(type="posts.post_created.v1", subject=missed["id"])
    for is_retry in (False, True):
        deliver("posts", envelopes=[decode(event.envelope)], look_first=is_retry)
    assert FailedDelivery.objects.using("posts").get().attempts == 2, "a short absence is waited out"
    deliver("posts", envelopes=[decode(event.envelope)], look_first=True)
    assert not FailedDelivery.objects.using("posts").exists(), "nothing is left that could become a dead letter"
    redis_down(False)
    assert missed["id"].encode() not in redis_client().lrange(feed_key(alice), 0, -1)
    redis_client().delete(store._epoch_key())  # which is remembered for some seconds
    assert shown(alice) == [(missed["id"], None), (before["id"], None)]
    assert missed["id"].encode() in redis_client().lrange(feed_key(alice), 0, -1), "the list was rebuilt"


def test_feed_lists_of_a_restarted_redis_are_rebuilt(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    drain: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice, bob = register("alice"), register("bob")
    follow(alice, bob)
    epochs.notice_restart()
    post = write(bob)
    drain()
    assert shown(alice) == [(post["id"], None)]
    redis_client().lrem(feed_key(alice), 0, post["id"])  # as if it had come back with what it had saved before
    epochs.notice_restart()
    assert shown(alice) == [], "the same process: its lists are read"
    monkeypatch.setattr("apps.posts.actions.feed.epochs.process_of_redis", lambda: "another")
    epoch = feed_epoch()
    for _ in range(2):
        epochs.notice_restart()
        assert shown(alice) == [(post["id"], None)]
    assert feed_epoch() == epoch + 1, "one rebuild for each process"


def test_during_a_rebuild_other_readers_use_the_database(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    drain: Callable[[], int],
) -> None:
    alice, bob = register("alice"), register("bob")
    follow(alice, bob)
    post = write(bob)
    drain()
    mark = store.begin_feed(int(alice.id))
    assert mark
    assert store.begin_feed(int(alice.id)) is None
    assert shown(alice) == [(post["id"], None)]
    assert 0 < redis_client().ttl(feed_key(alice)) <= 10
    redis_client().delete(feed_key(alice))
    store.finish_feed(user_id=int(alice.id), mark=mark, feed=store.CachedFeed(0, 0, 0, (), [], {}))
    assert not redis_client().exists(feed_key(alice))
