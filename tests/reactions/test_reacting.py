"""Reacting to posts and comments through the API: one reaction each, exact counts, one event a change."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.reactions.models import Reaction, ReactionCount
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.reactions.factories import NONE, id_of, published, react, unreact, write_comment, write_post

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

SET, REMOVED = "reactions.reaction_set.v1", "reactions.reaction_removed.v1"


@pytest.fixture(params=["post", "comment"])
def target_type(request: pytest.FixtureRequest) -> str:
    """Every rule holds for both kinds of target."""
    return str(request.param)


def a_target(author: Person, target_type: str, **extra: Any) -> str:
    """The path of a post of `author`, or of a comment of theirs on a post of theirs."""
    post = write_post(author, **extra)
    return post if target_type == "post" else write_comment(author, post)


def test_a_reaction_is_set_replaced_and_removed(register: Callable[..., Person], target_type: str) -> None:
    alice, bob = register("alice"), register("bob")
    target = a_target(alice, target_type)
    assert react(bob, target, "like") == {"my_reaction": "like", "reactions": NONE | {"like": 1}}
    assert react(alice, target, "love") == {"my_reaction": "love", "reactions": NONE | {"like": 1, "love": 1}}
    assert react(bob, target, "angry") == {"my_reaction": "angry", "reactions": NONE | {"angry": 1, "love": 1}}
    assert unreact(bob, target) == {"my_reaction": None, "reactions": NONE | {"love": 1}}
    assert unreact(alice, target) == {"my_reaction": None, "reactions": NONE}
    assert Reaction.objects.count() == 0


def test_targets_show_their_reactions(register: Callable[..., Person], anonymous: JsonClient, target_type: str) -> None:
    alice, bob = register("alice"), register("bob")
    target = a_target(alice, target_type)
    react(bob, target, "haha")
    for client, mine in ((bob.client, "haha"), (alice.client, None), (anonymous, None)):
        body = client.get(target).json()
        assert (body["reactions"], body["my_reaction"]) == (NONE | {"haha": 1}, mine)


def test_an_id_that_is_taken_takes_nobodys_reaction(
    register: Callable[..., Person], target_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes with one node number make one id twice; MariaDB calls that a clash of the row as any other."""
    alice, bob, carol = (register(name) for name in ("alice", "bob", "carol"))
    target = a_target(alice, target_type)
    react(bob, target, "like")
    made, new_id = iter([Reaction.objects.get().id]), Reaction._meta.pk.get_default
    monkeypatch.setattr(Reaction._meta.pk, "get_default", lambda: next(made, None) or new_id())
    assert react(carol, target, "love") == {"my_reaction": "love", "reactions": NONE | {"like": 1, "love": 1}}
    assert dict(Reaction.objects.values_list("user_id", "reaction_type")) == {
        int(bob.id): "like",
        int(carol.id): "love",
    }


def test_each_change_is_one_event(register: Callable[..., Person], target_type: str) -> None:
    alice, bob = register("alice"), register("bob")
    target = a_target(alice, target_type)
    post_id = id_of(target) if target_type == "post" else int(alice.client.get(target).json()["post_id"])
    react(bob, target, "like")
    react(bob, target, "like")
    react(bob, target, "sad")
    unreact(bob, target)
    unreact(bob, target)
    common = {
        "target_type": target_type,
        "target_id": id_of(target),
        "target_author_id": int(alice.id),
        "post_id": post_id,
        "user_id": int(bob.id),
    }
    assert published() == [
        common | {"reaction_type": "like", "previous": None, "type": SET},
        common | {"reaction_type": "sad", "previous": "like", "type": SET},
        common | {"reaction_type": "sad", "type": REMOVED},
    ]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "reaction_type", "required"),
        ({"reaction_type": "wow"}, "reaction_type", "invalid_choice"),
        ({"reaction_type": "LIKE"}, "reaction_type", "invalid_choice"),
        ({"reaction_type": None}, "reaction_type", "null"),
        ({"reaction_type": 1}, "reaction_type", "invalid_choice"),
        ({"reaction_type": ["like"]}, "reaction_type", "invalid_choice"),
        ({"reaction_type": {"a": 1}}, "reaction_type", "invalid_choice"),
        ({"reaction_type": True}, "reaction_type", "invalid_choice"),
        ({"reaction_type": "like", "at": "now"}, "at", "unknown_field"),
    ],
)
def test_wrong_input_changes_nothing(
    register: Callable[..., Person], target_type: str, body: Any, field: str, code: str
) -> None:
    alice = register("alice")
    answer = alice.client.put(f"{a_target(alice, target_type)}/reaction", body)
    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]
    assert Reaction.objects.count() == ReactionCount.objects.count() == 0
    assert published() == []


def test_malformed_json_and_missing_tokens_are_refused(
    register: Callable[..., Person], anonymous: JsonClient, target_type: str
) -> None:
    alice = register("alice")
    target = a_target(alice, target_type)
    assert alice.client.put(f"{target}/reaction", b"[1]").status_code == 400
    assert anonymous.put(f"{target}/reaction", {"reaction_type": "like"}).status_code == 401
    assert anonymous.delete(f"{target}/reaction").status_code == 401
    assert published() == []


def test_hidden_targets_return_404_on_every_path(
    register: Callable[..., Person], anonymous: JsonClient, target_type: str
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    assert bob.client.put(f"/v1/profiles/{alice.id}/follow").status_code == 200
    target = a_target(alice, target_type, is_private=True)
    react(bob, target)
    before = published()
    assert carol.client.put(f"{target}/reaction", {"reaction_type": "like"}).status_code == 404
    assert carol.client.delete(f"{target}/reaction").status_code == 404
    assert carol.client.get(f"{target}/reactions").status_code == 404
    assert anonymous.get(f"{target}/reactions").status_code == 404
    assert bob.client.get(f"{target}/reactions").status_code == 200
    assert alice.client.put(f"/v1/profiles/{bob.id}/block").status_code == 200
    assert bob.client.get(f"{target}/reactions").status_code == 404
    assert bob.client.put(f"{target}/reaction", {"reaction_type": "sad"}).status_code == 404
    assert published() == before


def test_who_reacted_is_listed_newest_first(
    register: Callable[..., Person], anonymous: JsonClient, target_type: str
) -> None:
    alice, bob, carol = register("alice"), register("bob", full_name="Bob B."), register("carol")
    target = a_target(alice, target_type)
    react(bob, target, "like")
    react(carol, target, "love")
    listed = anonymous.get(f"{target}/reactions").json()["results"]
    assert [(row["username"], row["reaction_type"]) for row in listed] == [("carol", "love"), ("bob", "like")]
    assert listed[1] == {
        "id": bob.id,
        "username": "bob",
        "full_name": "Bob B.",
        "profile_picture": None,
        "reaction_type": "like",
        "created_at": listed[1]["created_at"],
    }
    likes = anonymous.get(f"{target}/reactions?type=like").json()["results"]
    assert [row["username"] for row in likes] == ["bob"]
    assert anonymous.get(f"{target}/reactions?type=sad").json()["results"] == []
    refused = anonymous.get(f"{target}/reactions?type=wow")
    assert (refused.status_code, refused.json()["code"]) == (400, "type_invalid")


def test_users_hidden_from_the_viewer_are_omitted(
    register: Callable[..., Person], anonymous: JsonClient, target_type: str
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    target = a_target(alice, target_type)
    react(bob, target)
    react(carol, target)
    assert bob.client.put(f"/v1/profiles/{carol.id}/block").status_code == 200
    for viewer, seen in ((carol, ["carol"]), (bob, ["bob"]), (alice, ["carol", "bob"])):
        listed = viewer.client.get(f"{target}/reactions").json()["results"]
        assert [row["username"] for row in listed] == seen


def test_pages_neither_skip_nor_repeat_while_others_react(register: Callable[..., Person], target_type: str) -> None:
    people = [register(f"person{number}") for number in range(7)]
    target = a_target(people[0], target_type)
    for person in people[:5]:
        react(person, target)
    seen: list[str] = []
    url: str | None = f"{target}/reactions?limit=2"
    late = iter(people[5:])
    while url:
        page = people[0].client.get(url.removeprefix("http://testserver")).json()
        seen += [row["username"] for row in page["results"]]
        url = page["next"]
        if (latecomer := next(late, None)) is not None:
            react(latecomer, target, "love")
        react(people[3], target, "angry")
    assert seen == ["person4", "person3", "person2", "person1", "person0"]


@pytest.mark.parametrize("hide", ["block", "private"])
def test_a_reaction_can_be_taken_back_from_what_is_hidden_now(
    register: Callable[..., Person], drain: Callable[[], int], hide: str
) -> None:
    alice, bob = register("alice"), register("bob")
    post = write_post(alice)
    comment = write_comment(alice, post)
    for target in (post, comment):
        react(bob, target)
    if hide == "block":
        assert alice.client.put(f"/v1/profiles/{bob.id}/block").status_code == 200
    else:
        assert alice.client.patch("/v1/profiles/me", {"is_private": True}).status_code == 200
    for target in (post, comment):
        assert bob.client.put(f"{target}/reaction", {"reaction_type": "angry"}).status_code == 404
        assert bob.client.delete(f"{target}/reaction").status_code == 404
        assert alice.client.get(target).json()["reactions"] == NONE
    assert not Reaction.objects.exists()
    assert [event["target_id"] for event in published("reactions.reaction_removed")] == [id_of(post), id_of(comment)]
