"""Who sees which comment: the rule of the post, and of the comment's own author, on every path."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from apps.comments.service import CommentsService
from socialapp.contracts.moderation import UserSanctioned
from socialapp.core.db import atomic
from socialapp.messaging.publish import publish
from tests.comments.factories import comment_on, published_types, write_post
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def statuses(client: JsonClient, post: str, comment: str) -> list[int]:
    """What every path that leads to a comment answers. `?ids=` has it if it shows, unless as a tombstone."""
    alone = client.get(f"/v1/comments/{comment}")
    shows = alone.status_code == 200 and alone.json()["author"] is not None
    several = client.get(f"/v1/comments?ids=5,{comment}")
    found = several.json()["results"] if several.status_code == 200 else []
    assert found == ([alone.json()] if shows else [])
    return [
        client.get(f"/v1/posts/{post}/comments").status_code,
        alone.status_code,
        client.get(f"/v1/comments/{comment}/replies").status_code,
        client.get(f"/v1/comments/{comment}/reactions").status_code,
    ]


def refusals(client: JsonClient, post: str, comment: str) -> list[int]:
    """What every path that changes a comment answers."""
    return [
        client.post(f"/v1/posts/{post}/comments", {"content": "x"}).status_code,
        client.patch(f"/v1/comments/{comment}", {"content": "x"}).status_code,
        client.delete(f"/v1/comments/{comment}").status_code,
        client.put(f"/v1/comments/{comment}/reaction", {"reaction_type": "like"}).status_code,
        client.delete(f"/v1/comments/{comment}/reaction").status_code,
    ]


def test_a_private_post_hides_its_comments(register: Callable[..., Person], anonymous: JsonClient) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    assert bob.client.put(f"/v1/profiles/{alice.id}/follow").status_code == 200
    post = write_post(alice, is_private=True)
    comment = comment_on(bob, post, "between us")["id"]
    before = published_types("comments"), published_types("reactions")
    for outsider in (carol.client, anonymous):
        assert statuses(outsider, post, comment) == [404] * 4
    assert refusals(carol.client, post, comment) == [404] * 5
    assert (published_types("comments"), published_types("reactions")) == before
    assert statuses(alice.client, post, comment) == [200] * 4
    assert statuses(bob.client, post, comment) == [200] * 4


def test_comments_of_a_post_made_private_are_hidden(register: Callable[..., Person], anonymous: JsonClient) -> None:
    alice, bob = register("alice"), register("bob")
    post = write_post(alice)
    comment = comment_on(alice, post)["id"]
    assert statuses(bob.client, post, comment) == [200] * 4
    assert alice.client.patch(f"/v1/posts/{post}", {"is_private": True}).status_code == 200
    assert statuses(bob.client, post, comment) == [404] * 4
    assert statuses(anonymous, post, comment) == [404] * 4


def test_a_block_with_the_posts_author_hides_everything(register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    post = write_post(alice)
    comment = comment_on(alice, post)["id"]
    assert alice.client.put(f"/v1/profiles/{bob.id}/block").status_code == 200
    assert statuses(bob.client, post, comment) == [404] * 4
    assert refusals(bob.client, post, comment) == [404] * 5


@pytest.mark.parametrize("blocker", ["bob", "carol"])
def test_a_block_with_the_comments_author_hides_the_comment(register: Callable[..., Person], blocker: str) -> None:
    people = {name: register(name) for name in ("alice", "bob", "carol")}
    alice, bob, carol = people.values()
    post = write_post(alice)
    hidden, shown = comment_on(bob, post)["id"], comment_on(alice, post)["id"]
    other = bob if blocker == "carol" else carol
    assert people[blocker].client.put(f"/v1/profiles/{other.id}/block").status_code == 200
    assert statuses(carol.client, post, hidden) == [200, 404, 404, 404]
    assert refusals(carol.client, post, hidden)[1:] == [404] * 4
    listed = carol.client.get(f"/v1/posts/{post}/comments?sort=oldest").json()["results"]
    assert hidden not in [row["id"] for row in listed]
    assert shown in [row["id"] for row in listed]
    answer = carol.client.post(f"/v1/posts/{post}/comments", {"content": "x", "parent_comment_id": hidden})
    assert answer.status_code == 422, "a hidden parent is treated as missing"


def test_a_hidden_reply_is_left_out(register: Callable[..., Person], anonymous: JsonClient) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    post = write_post(alice)
    root = comment_on(alice, post)["id"]
    hidden, shown = comment_on(bob, post, parent=root)["id"], comment_on(alice, post, parent=root)["id"]
    assert carol.client.put(f"/v1/profiles/{bob.id}/block").status_code == 200
    path = f"/v1/comments/{root}/replies"
    assert [row["id"] for row in carol.client.get(path).json()["results"]] == [shown]
    assert [row["id"] for row in anonymous.get(path).json()["results"]] == [hidden, shown]


def test_a_banned_authors_comments_are_hidden(
    register: Callable[..., Person], drain: Callable[[], int], anonymous: JsonClient
) -> None:
    alice, bob = register("alice"), register("bob")
    post = write_post(alice)
    comment = comment_on(bob, post)["id"]
    ban = UserSanctioned(user_id=int(bob.id), action_id=1, kind="ban", reason="spam", at=datetime.now(UTC))
    with atomic("moderation"):
        publish(ban)
    drain()
    assert statuses(anonymous, post, comment) == [200, 404, 404, 404]
    assert anonymous.get(f"/v1/posts/{post}/comments").json()["results"] == []


def test_unknown_ids_are_404(register: Callable[..., Person]) -> None:
    alice = register("alice")
    assert statuses(alice.client, "1", "2") == [404] * 4
    assert refusals(alice.client, "1", "2") == [404] * 5
    assert alice.client.get("/v1/comments/9223372036854775808").status_code == 404


def test_other_contexts_get_the_same(register: Callable[..., Person]) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    service = CommentsService()
    bob.client.put(f"/v1/profiles/{alice.id}/follow")
    open_post, private = write_post(alice), write_post(alice, is_private=True)
    ids = [int(comment_on(bob, post)["id"]) for post in (open_post, private)]
    grave = comment_on(bob, open_post)["id"]
    comment_on(bob, open_post, parent=grave)
    assert bob.client.delete(f"/v1/comments/{grave}").status_code == 204
    ids.append(int(grave))

    def seen(viewer_id: int | None) -> list[int]:
        return sorted(ref.id for ref in service.visible(viewer_id=viewer_id, comment_ids=ids))

    assert seen(int(bob.id)) == ids[:2]
    assert seen(int(carol.id)) == seen(None) == ids[:1]
    assert carol.client.put(f"/v1/profiles/{bob.id}/block").status_code == 200
    assert seen(int(carol.id)) == []
    [ref] = service.visible(viewer_id=None, comment_ids=ids)
    assert (ref.post_id, ref.author_id) == (int(open_post), int(bob.id))
    counts = {row.post_id: row.count for row in service.counts(post_ids=[int(open_post), int(private), 3])}
    assert counts == {int(open_post): 2, int(private): 1}
    documents = {row.id: row.content for row in service.documents(comment_ids=[*ids, 5])}
    assert documents == dict.fromkeys(ids[:2], "Nice")


def test_replies_to_what_is_hidden_can_be_read(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    post = write_post(alice)
    root = comment_on(bob, post, "hidden from carol")
    reply = comment_on(alice, post, "for all", parent=root["id"])
    assert bob.client.patch(f"/v1/comments/{root['id']}", {"content": "still hidden"}).status_code == 200
    assert alice.client.put(f"/v1/comments/{root['id']}/reaction", {"reaction_type": "love"}).status_code == 200
    drain()
    assert carol.client.put(f"/v1/profiles/{bob.id}/block").status_code == 200
    stone = root | {"author": None, "content": "", "replies_count": 1}
    assert carol.client.get(f"/v1/posts/{post}/comments").json()["results"] == [stone]
    assert carol.client.get(f"/v1/comments/{root['id']}").json() == stone
    assert carol.client.get(f"/v1/comments/{root['id']}/replies").json()["results"] == [reply]
    assert carol.client.get(f"/v1/comments/{root['id']}/reactions").status_code == 404
    assert refusals(carol.client, post, root["id"])[1:] == [404] * 4
    assert alice.client.put(f"/v1/profiles/{carol.id}/block").status_code == 200
    assert statuses(carol.client, post, root["id"]) == [404] * 4


def test_after_a_block_comments_can_still_be_deleted(register: Callable[..., Person], anonymous: JsonClient) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    post = write_post(alice)
    insult, other, kept = (comment_on(bob, post, text)["id"] for text in ("insult", "mine", "seen by others"))
    assert alice.client.put(f"/v1/profiles/{bob.id}/block").status_code == 200
    assert alice.client.get(f"/v1/comments/{insult}").status_code == 404
    assert alice.client.delete(f"/v1/comments/{insult}").status_code == 204, "others read it under her post"
    assert bob.client.delete(f"/v1/comments/{other}").status_code == 204, "his own"
    assert carol.client.delete(f"/v1/comments/{kept}").status_code == 403
    assert bob.client.patch(f"/v1/comments/{kept}", {"content": "worse"}).status_code == 404
    assert [row["id"] for row in anonymous.get(f"/v1/posts/{post}/comments").json()["results"]] == [kept]
