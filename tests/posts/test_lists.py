"""Authors' pages, hashtags, bookmarks, reposts: nobody sees in any list what they may not see alone."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from apps.posts.actions import CLEAN_UP, delete_post, remove_post, reposts, restore_post
from apps.posts.models import Bookmark, MutedPost, Repost, RepostCount
from apps.posts.queries import author_of
from socialapp.contracts.moderation import UserSanctioned
from socialapp.core.db import atomic
from socialapp.lifecycle.jobs import start_job
from socialapp.messaging.publish import publish
from tests.conftest import ALL_CONTEXTS, JsonClient, Person, deliver_outbox, refresh_index
from tests.posts.conftest import events, ids_of, read_all

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def ban(person: Person, kind: str = "ban") -> None:
    """Bans somebody, as a moderator would."""
    with atomic("moderation"):
        publish(UserSanctioned(user_id=int(person.id), action_id=1, kind=kind, reason="", at=datetime.now(UTC)))
    deliver_outbox()


def places_of(reader: Person, author: Person, post: Any) -> Any:
    """Where the reader sees the post: alone, in lists, in its history, by bookmark and through the service."""
    found = set()
    for place in ("", "/history"):
        if reader.client.get(f"/v1/posts/{post['id']}{place}").status_code == 200:
            found.add(place or "alone")
    page = reader.client.get(f"/v1/profiles/{author.id}/posts")
    if page.status_code == 200 and post["id"] in ids_of(page.json()["results"]):
        found.add("author")
    for name, path in (
        ("ids", f"/v1/posts?ids={post['id']}"),
        ("tag", "/v1/hashtags/tag/posts"),
        ("feed", "/v1/feed"),
        ("bookmarks", "/v1/bookmarks"),
    ):
        if post["id"] in ids_of(reader.client.get(path).json()["results"]):
            found.add(name)
    return found


EVERYWHERE = {"alone", "/history", "author", "ids", "tag", "feed", "bookmarks"}


@pytest.fixture
def scene(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], follow: Callable[[Person, Person], None]
) -> Any:
    """Bob follows Alice and has bookmarked her post; Carol is a stranger who has bookmarked it, too."""
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    follow(bob, alice)
    post = write(alice, "#tag")
    for person in (bob, carol):
        assert person.client.put(f"/v1/posts/{post['id']}/bookmark").json()["bookmarked"] is True
    deliver_outbox()
    assert places_of(bob, alice, post) == EVERYWHERE
    assert places_of(carol, alice, post) == EVERYWHERE - {"feed"}
    return alice, bob, carol, post


def test_a_private_post_is_visible_to_followers_only(scene: Any) -> None:
    alice, bob, carol, post = scene
    alice.client.patch(f"/v1/posts/{post['id']}", {"is_private": True})
    assert places_of(carol, alice, post) == set()
    assert places_of(bob, alice, post) == EVERYWHERE
    assert places_of(alice, alice, post) == EVERYWHERE - {"bookmarks"}
    bob.client.delete(f"/v1/profiles/{alice.id}/follow")
    assert places_of(bob, alice, post) == set()


def test_a_private_account_is_visible_to_followers_only(scene: Any, make_private: Callable[[Person], None]) -> None:
    alice, bob, carol, post = scene
    make_private(alice)
    assert places_of(carol, alice, post) == set()
    assert carol.client.get(f"/v1/profiles/{alice.id}/posts").json()["results"] == []
    assert places_of(bob, alice, post) == EVERYWHERE
    assert carol.client.put(f"/v1/posts/{post['id']}/bookmark").status_code == 404


@pytest.mark.parametrize("blocker", ["author", "reader"])
def test_a_block_hides_both_ways(scene: Any, blocker: str) -> None:
    alice, bob, carol, post = scene
    one, other = (alice, bob) if blocker == "author" else (bob, alice)
    assert one.client.put(f"/v1/profiles/{other.id}/block").status_code == 200
    assert places_of(bob, alice, post) == set()
    assert bob.client.get(f"/v1/profiles/{alice.id}/posts").status_code == 404
    assert places_of(carol, alice, post) == EVERYWHERE - {"feed"}


def test_a_mute_hides_posts_from_the_feed_only(scene: Any) -> None:
    alice, bob, _, post = scene
    assert bob.client.put(f"/v1/profiles/{alice.id}/mute").status_code == 200
    assert places_of(bob, alice, post) == EVERYWHERE - {"feed"}


def test_a_ban_hides_everything_until_it_is_lifted(scene: Any) -> None:
    alice, bob, _, post = scene
    ban(alice)
    assert places_of(bob, alice, post) == set()
    assert bob.client.get(f"/v1/profiles/{alice.id}/posts").status_code == 404
    ban(alice, "unban")
    assert places_of(bob, alice, post) == EVERYWHERE


def test_a_deleted_post_is_in_no_list(scene: Any) -> None:
    alice, bob, carol, post = scene
    assert alice.client.delete(f"/v1/posts/{post['id']}").status_code == 204
    for reader in (alice, bob, carol):
        assert places_of(reader, alice, post) == set()


def test_an_authors_page(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], anonymous: JsonClient
) -> None:
    alice = register("alice")
    posts = [write(alice, str(number))["id"] for number in range(5)][::-1]
    hidden = write(alice, "hidden", is_private=True)["id"]
    path = f"/v1/profiles/{alice.id}/posts"
    assert ids_of(read_all(anonymous, path, limit=2)) == posts
    assert ids_of(read_all(alice.client, path, limit=2)) == [hidden, *posts]
    assert anonymous.get("/v1/profiles/5/posts").status_code == 404
    assert anonymous.get(f"{path}?cursor=nonsense").status_code == 400


def test_bookmarks_are_ordered_by_when_they_were_set(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]]
) -> None:
    alice, bob = register("alice"), register("bob")
    one, two, three = (write(alice, str(number))["id"] for number in range(3))
    for post_id in (two, three, one, two):
        assert bob.client.put(f"/v1/posts/{post_id}/bookmark").status_code == 200
    assert ids_of(read_all(bob.client, "/v1/bookmarks", limit=1)) == [one, three, two]
    assert all(post["bookmarked"] for post in read_all(bob.client, "/v1/bookmarks"))
    assert Bookmark.objects.count() == 3
    for _ in range(2):
        answer = bob.client.delete(f"/v1/posts/{three}/bookmark")
        assert (answer.status_code, answer.json()["bookmarked"]) == (200, False)
    assert ids_of(read_all(bob.client, "/v1/bookmarks")) == [one, two]
    assert ids_of(read_all(alice.client, "/v1/bookmarks")) == []
    assert bob.client.put("/v1/posts/77/bookmark").status_code == 404


@pytest.mark.parametrize("act", ["bookmark", "repost"])
def test_marking_a_post_reads_it_once_and_answers_it_as_it_is_then(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], act: str
) -> None:
    alice, bob = register("alice"), register("bob")
    path = f"/v1/posts/{write(alice)['id']}"
    for _ in range(2):
        with CaptureQueriesContext(connections["posts"]) as queries:
            answer = bob.client.put(f"{path}/{act}").json()
        assert len([query for query in queries if "LEFT JOIN repost_counts" in query["sql"]]) == 1
        assert answer == bob.client.get(path).json()


def test_reposts_count_once_each(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], anonymous: JsonClient
) -> None:
    alice, bob = register("alice"), register("bob")
    post = write(alice)
    path = f"/v1/posts/{post['id']}/repost"
    for _ in range(2):
        assert bob.client.put(path).json()["reposts_count"] == 1
    assert alice.client.put(path).json()["reposts_count"] == 2
    assert [each.get(f"/v1/posts/{post['id']}").json()["reposted"] for each in (bob.client, anonymous)] == [True, False]
    assert anonymous.put(path).status_code == 401
    assert [event["user_id"] for event in events("reposted")] == [int(bob.id), int(alice.id)]
    for _ in range(2):
        answer = bob.client.delete(path).json()
        assert (answer["reposts_count"], answer["reposted"]) == (1, False)
    assert [event["user_id"] for event in events("unreposted")] == [int(bob.id)]
    assert RepostCount.objects.get().count == Repost.objects.count() == 1


def test_only_public_posts_of_public_accounts_are_reposted(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    make_private: Callable[[Person], None],
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    follow(bob, alice)
    private, public = write(alice, is_private=True), write(alice)
    answer = bob.client.put(f"/v1/posts/{private['id']}/repost")
    assert (answer.status_code, answer.json()["code"]) == (403, "post_private")
    assert carol.client.put(f"/v1/posts/{private['id']}/repost").status_code == 404
    make_private(alice)
    answer = bob.client.put(f"/v1/posts/{public['id']}/repost")
    assert (answer.status_code, answer.json()["code"]) == (403, "post_private")
    assert carol.client.put(f"/v1/posts/{public['id']}/repost").status_code == 404
    assert not Repost.objects.exists()
    assert not events("reposted")


def test_hashtag_pages_and_trends(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    make_private: Callable[[Person], None],
    anonymous: JsonClient,
) -> None:
    alice, bob = register("alice"), register("bob")
    follow(bob, alice)
    first = write(alice, "#Tag #rare")
    second = write(bob, "#TAG")
    hidden = write(alice, "#tag #secret", is_private=True)
    assert ids_of(read_all(anonymous, "/v1/hashtags/TAG/posts", limit=1)) == [second["id"], first["id"]]
    assert ids_of(read_all(bob.client, "/v1/hashtags/tag/posts")) == [hidden["id"], second["id"], first["id"]]
    trends = [{"name": "tag", "posts_count": 2}, {"name": "rare", "posts_count": 1}]
    assert anonymous.get("/v1/hashtags/trending").json() == {"results": trends, "next": None, "previous": None}
    assert anonymous.get("/v1/hashtags/trending?limit=1").json()["results"] == trends[:1]
    make_private(alice)
    assert bob.client.get("/v1/hashtags/trending").json()["results"] == [{"name": "tag", "posts_count": 1}]
    assert anonymous.get("/v1/hashtags/%00/posts").json()["results"] == []


def test_nothing_trends_for_somebody_that_they_may_not_see(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], anonymous: JsonClient
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    write(alice, "#rare #common")
    write(bob, "#common")
    both = [{"name": "common", "posts_count": 2}, {"name": "rare", "posts_count": 1}]
    assert carol.client.get("/v1/hashtags/trending").json()["results"] == both
    assert alice.client.put(f"/v1/profiles/{carol.id}/block").status_code == 200
    assert carol.client.get("/v1/hashtags/trending").json()["results"] == [{"name": "common", "posts_count": 1}]
    assert alice.client.get("/v1/hashtags/trending").json()["results"] == both
    assert anonymous.get("/v1/hashtags/trending").json()["results"] == both


def test_posts_of_somebody_who_opted_out_of_discovery_are_only_found_by_those_who_look(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    anonymous: JsonClient,
) -> None:
    alice, bob = register("alice"), register("bob")
    follow(bob, alice)
    post, other = write(alice, "#tag"), write(bob, "hello")
    deliver_outbox()
    refresh_index()
    everybody = (anonymous, bob.client, alice.client)

    def explored() -> list[list[str]]:
        paths = ("/v1/explore", "/v1/explore?sort=trending")
        return [sorted(ids_of(client.get(path).json()["results"])) for client in everybody for path in paths]

    assert explored() == [[post["id"], other["id"]]] * 6
    assert alice.client.patch("/v1/profiles/me", {"is_discoverable": False}).status_code == 200
    assert explored() == [[other["id"]]] * 6, "at once, for followers and oneself, too"
    found = ("/v1/hashtags/tag/posts", f"/v1/profiles/{alice.id}/posts", f"/v1/posts?ids={post['id']}")
    for client in everybody:
        assert [ids_of(client.get(path).json()["results"]) for path in found] == [[post["id"]]] * 3
        assert client.get("/v1/hashtags/trending").json()["results"] == [{"name": "tag", "posts_count": 1}]
        for query in ("%23tag&type=posts", "alice&type=users"):
            assert len(client.get(f"/v1/search?q={query}").json()["results"]) == 1, query
    assert ids_of(bob.client.get("/v1/feed").json()["results"]) == [other["id"], post["id"]]
    assert alice.client.patch("/v1/profiles/me", {"is_discoverable": True}).status_code == 200
    assert explored() == [[post["id"], other["id"]]] * 6


def test_explore_shows_no_posts_of_muted_people_to_who_mutes_them(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], anonymous: JsonClient
) -> None:
    alice, bob = register("alice"), register("bob")
    post = write(alice, "hello")
    deliver_outbox()
    for verb, shown in (("put", []), ("delete", [post["id"]])):
        assert getattr(bob.client, verb)(f"/v1/profiles/{alice.id}/mute").status_code == 200
        for path in ("/v1/explore", "/v1/explore?sort=trending"):
            assert ids_of(bob.client.get(path).json()["results"]) == shown, path
            assert ids_of(anonymous.get(path).json()["results"]) == [post["id"]], "only for who mutes"
    assert bob.client.get(f"/v1/posts/{post['id']}").status_code == 200


def test_the_author_of_a_post_is_found_while_it_is_restored(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]]
) -> None:
    """Otherwise a bookmark set at that moment would delete all others, as if the post was deleted."""
    alice = register("alice")
    post_id = int(write(alice)["id"])
    remove_post(post_id=post_id, action_id=1)
    restored = iter([lambda: restore_post(post_id=post_id, action_id=1)])

    def restore_after(execute: Callable[..., Any], *statement: Any) -> Any:
        found = execute(*statement)
        for restore in restored:
            restore()
        return found

    with connections["posts"].execute_wrapper(restore_after):
        assert author_of(post_id) == int(alice.id)


@pytest.mark.parametrize(("path", "model"), [("bookmark", Bookmark), ("repost", Repost), ("mute", MutedPost)])
def test_bookmarks_mutes_and_reposts_of_a_post_being_deleted_leave_nothing(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    model: Any,
) -> None:
    alice, bob = register("alice"), register("bob")
    post = write(alice)
    insert = reposts._insert_once

    def delete_first(row: Any) -> Any:
        """The post goes, and is cleaned up after, between the look at it and the insert."""
        monkeypatch.setattr(reposts, "_insert_once", insert)
        delete_post(post_id=int(post["id"]))
        start_job("posts", name=CLEAN_UP, subject_id=int(post["id"]))
        return insert(row)

    monkeypatch.setattr(reposts, "_insert_once", delete_first)
    assert bob.client.put(f"/v1/posts/{post['id']}/{path}").status_code == 404
    assert not model.objects.exists()
    assert not RepostCount.objects.exists()
