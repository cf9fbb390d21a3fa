"""What people are told, once each, and what is taken back."""

from typing import Any

import pytest

from tests.conftest import ALL_CONTEXTS

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def told(person: Any, query: str = "") -> list[dict[str, Any]]:
    """A person's notifications."""
    answer = person.client.get(f"/v1/notifications{query}")
    assert answer.status_code == 200, answer.content
    return list(answer.json()["results"])


def kinds(person: Any) -> list[str]:
    """The kinds of a person's notifications, newest first."""
    return [item["kind"] for item in told(person)]


def unread(person: Any) -> int:
    """A person's unread count."""
    answer = person.client.get("/v1/notifications/unread-count")
    assert answer.status_code == 200, answer.content
    return int(answer.json()["count"])


def post(person: Any, content: str = "hello", **extra: Any) -> str:
    """The id of a new post."""
    answer = person.client.post("/v1/posts", {"content": content, **extra})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def comment(person: Any, post_id: str, content: str = "well", **extra: Any) -> str:
    """The id of a new comment."""
    answer = person.client.post(f"/v1/posts/{post_id}/comments", {"content": content, **extra})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def test_followers_are_told_of_a_new_post_and_nobody_else(register, drain):
    alice, bob, carol = register("alice", full_name="Alice A"), register("bob"), register("carol")
    assert bob.client.put(f"/v1/profiles/{alice.id}/follow").status_code == 200
    drain()
    post_id = post(alice)
    drain()

    [item] = told(bob)
    assert item == {
        "id": item["id"],
        "kind": "new_post",
        "message": "Alice A wrote a new post.",
        "actors": [{"id": alice.id, "username": "alice", "full_name": "Alice A", "profile_picture": None}],
        "actors_count": 1,
        "target": {"type": "post", "id": post_id, "url": f"/v1/posts/{post_id}"},
        "is_read": False,
        "created_at": item["created_at"],
        "group_id": None,
    }
    assert kinds(alice) == ["follow"]
    assert told(carol) == []
    assert (unread(bob), unread(carol)) == (1, 0)


def test_reactions_of_a_day_are_one_notification_with_several_actors(register, drain):
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    post_id = post(alice)
    drain()
    for person in (bob, carol):
        person.client.put(f"/v1/posts/{post_id}/reaction", {"reaction_type": "like"})
        drain()
    bob.client.put(f"/v1/posts/{post_id}/reaction", {"reaction_type": "love"})
    drain()

    [item] = told(alice)
    assert item["kind"] == "reaction"
    assert [actor["username"] for actor in item["actors"]] in (["carol", "bob"], ["bob", "carol"])
    assert item["actors_count"] == 2
    assert item["target"]["id"] == post_id
    assert unread(alice) == 1

    carol.client.delete(f"/v1/posts/{post_id}/reaction")
    drain()
    [item] = told(alice)
    assert ([actor["username"] for actor in item["actors"]], item["actors_count"]) == (["bob"], 1)
    bob.client.delete(f"/v1/posts/{post_id}/reaction")
    drain()
    assert told(alice) == []
    assert unread(alice) == 0


def test_one_person_gets_one_notification_for_a_comment(register, drain):
    alice, bob = register("alice"), register("bob")
    post_id = post(alice)
    parent = comment(alice, post_id)
    drain()
    reply = comment(bob, post_id, "hi @alice", parent_comment_id=parent)
    drain()

    [item] = told(alice)
    assert item["kind"] == "reply"
    assert item["target"] == {"type": "comment", "id": reply, "url": f"/v1/comments/{reply}"}

    bob.client.delete(f"/v1/comments/{reply}")
    drain()
    assert told(alice) == []
    assert unread(alice) == 0
