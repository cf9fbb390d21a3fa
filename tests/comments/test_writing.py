"""Writing, editing and deleting comments through the API."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from apps.comments import access
from apps.comments.models import Comment
from socialapp.core.principal import MODERATOR, Principal
from tests.comments.factories import comment_on, published, published_types, write_post
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_a_comment_is_shown_as_it_was_written(register: Callable[..., Person], anonymous: JsonClient) -> None:
    alice, bob = register("alice"), register("bob", full_name="Bob B.")
    post = write_post(alice)
    answer = bob.client.post(f"/v1/posts/{post}/comments", {"content": "Well said"})
    assert answer.status_code == 201
    body = answer.json()
    assert body == {
        "id": body["id"],
        "post_id": post,
        "parent_comment_id": None,
        "author": {"id": bob.id, "username": "bob", "full_name": "Bob B.", "profile_picture": None},
        "content": "Well said",
        "media": [],
        "depth": 0,
        "replies_count": 0,
        "reactions": {"like": 0, "love": 0, "haha": 0, "sad": 0, "angry": 0},
        "my_reaction": None,
        "edited": False,
        "withheld": None,
        "created_at": body["created_at"],
        "updated_at": body["created_at"],
    }
    assert anonymous.get(f"/v1/comments/{body['id']}").json() == body
    assert anonymous.get(f"/v1/posts/{post}/comments").json() == {"results": [body], "next": None, "previous": None}
    assert anonymous.get(f"/v1/posts/{post}").json()["comments_count"] == 1


def test_a_reply_stands_under_its_parent(register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    post = write_post(alice)
    root = comment_on(alice, post, "first")
    reply = comment_on(bob, post, "second", parent=root["id"])
    assert (reply["parent_comment_id"], reply["depth"]) == (root["id"], 1)
    shown = alice.client.get(f"/v1/posts/{post}/comments").json()["results"]
    assert [(row["id"], row["replies_count"]) for row in shown] == [(root["id"], 1)]
    assert alice.client.get(f"/v1/comments/{root['id']}/replies").json()["results"] == [reply]
    assert alice.client.get(f"/v1/posts/{post}").json()["comments_count"] == 2


def test_the_event_names_everybody_concerned(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("Carol.C")
    post = write_post(alice)
    root = comment_on(bob, post, "first")
    reply = comment_on(carol, post, "hey @BOB and @nobody1, a@alice @carol.c. @bob", parent=root["id"])
    event = published("comments.comment_created.v1")[-1]
    assert sorted(event.pop("mention_ids")) == sorted([int(bob.id), int(carol.id)])
    assert datetime.fromisoformat(event.pop("created_at")) == Comment.objects.get(id=reply["id"]).created_at
    assert event == {
        "comment_id": int(reply["id"]),
        "post_id": int(post),
        "post_author_id": int(alice.id),
        "author_id": int(carol.id),
        "parent_comment_id": int(root["id"]),
        "parent_author_id": int(bob.id),
        "is_held": False,
    }


def test_mentions_are_parsed_as_in_a_post(register: Callable[..., Person]) -> None:
    alice, bob, carol, dave = (register(name) for name in ("alice", "bob", "carol.c", "dave_"))
    text = f"@bob – thanks, @carol.c... and @dave_'s, (@{'x' * 40}) a@alice @bo"
    post = alice.client.post("/v1/posts", {"content": text}).json()
    comment_on(alice, post["id"], text)
    named = published("comments.comment_created.v1")[-1]["mention_ids"]
    assert {str(user_id) for user_id in named} == {person["id"] for person in post["mentions"]}
    assert {str(user_id) for user_id in named} == {bob.id, carol.id, dave.id}


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "content", "required"),
        ({"content": ""}, "content", "blank"),
        ({"content": "  \n "}, "content", "blank"),
        ({"content": "x" * 5001}, "content", "max_length"),
        ({"content": None}, "content", "null"),
        ({"content": 7}, "content", "invalid"),
        ({"content": "a\u0000b"}, "content", "control_character"),
        ({"content": "x", "depth": 3}, "depth", "unknown_field"),
        ({"content": "x", "parent_comment_id": 7}, "parent_comment_id", "invalid"),
        ({"content": "x", "parent_comment_id": "abc"}, "parent_comment_id", "invalid"),
        ({"content": "x", "parent_comment_id": "99"}, "parent_comment_id", "not_found"),
    ],
)
def test_wrong_input_changes_nothing(register: Callable[..., Person], body: Any, field: str, code: str) -> None:
    alice = register("alice")
    post = write_post(alice)
    answer = alice.client.post(f"/v1/posts/{post}/comments", body)
    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]
    assert alice.client.get(f"/v1/posts/{post}/comments").json()["results"] == []
    assert published_types("comments") == []


def test_the_longest_text_and_any_script_fit(register: Callable[..., Person]) -> None:
    alice = register("alice")
    post = write_post(alice)
    text = "𝒳é漢🙂" * 1250
    assert comment_on(alice, post, text)["content"] == text


def test_malformed_json_is_400(register: Callable[..., Person]) -> None:
    alice = register("alice")
    post = write_post(alice)
    assert alice.client.post(f"/v1/posts/{post}/comments", b"{").status_code == 400


def test_writing_needs_a_token(register: Callable[..., Person], anonymous: JsonClient) -> None:
    alice = register("alice")
    post = write_post(alice)
    comment = comment_on(alice, post)["id"]
    assert anonymous.post(f"/v1/posts/{post}/comments", {"content": "x"}).status_code == 401
    assert anonymous.patch(f"/v1/comments/{comment}", {"content": "x"}).status_code == 401
    assert anonymous.delete(f"/v1/comments/{comment}").status_code == 401
    assert published_types("comments") == ["comments.comment_created.v1"]


def test_a_parent_must_be_on_the_same_post_and_not_deleted(register: Callable[..., Person]) -> None:
    alice = register("alice")
    here, there = write_post(alice), write_post(alice)
    elsewhere = comment_on(alice, there)["id"]
    deleted = comment_on(alice, here)["id"]
    comment_on(alice, here, parent=deleted)
    assert alice.client.delete(f"/v1/comments/{deleted}").status_code == 204
    before = published_types("comments")
    for parent in (elsewhere, deleted):
        answer = alice.client.post(f"/v1/posts/{here}/comments", {"content": "x", "parent_comment_id": parent})
        assert answer.status_code == 422
        assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [
            ("parent_comment_id", "not_found")
        ]
    assert published_types("comments") == before


def test_the_depth_of_threads_is_limited(register: Callable[..., Person]) -> None:
    alice = register("alice")
    post = write_post(alice)
    parent = comment_on(alice, post)
    for _ in range(access.MAX_DEPTH):
        parent = comment_on(alice, post, parent=parent["id"])
    assert parent["depth"] == access.MAX_DEPTH
    answer = alice.client.post(f"/v1/posts/{post}/comments", {"content": "x", "parent_comment_id": parent["id"]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "too_deep"
    assert alice.client.get(f"/v1/posts/{post}").json()["comments_count"] == access.MAX_DEPTH + 1


def test_the_same_idempotency_key_writes_once(register: Callable[..., Person]) -> None:
    alice = register("alice")
    post = write_post(alice)
    first = alice.client.post(f"/v1/posts/{post}/comments", {"content": "once"}, Idempotency_Key="k1")
    second = alice.client.post(f"/v1/posts/{post}/comments", {"content": "once"}, Idempotency_Key="k1")
    other = alice.client.post(f"/v1/posts/{post}/comments", {"content": "twice"}, Idempotency_Key="k1")
    assert (first.status_code, second.status_code, other.status_code) == (201, 201, 422)
    assert first.json() == second.json()
    assert alice.client.get(f"/v1/posts/{post}/comments").json()["results"] == [first.json()]
    assert published_types("comments") == ["comments.comment_created.v1"]


def test_only_the_author_edits(register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    post = write_post(alice)
    comment = comment_on(bob, post, "draft")
    refused = alice.client.patch(f"/v1/comments/{comment['id']}", {"content": "mine now"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_author")
    assert published("comments.comment_edited.v1") == []
    answer = bob.client.patch(f"/v1/comments/{comment['id']}", {"content": "better"})
    assert answer.status_code == 200
    edited = answer.json()
    assert edited == comment | {"content": "better", "edited": True, "updated_at": edited["updated_at"]}
    assert edited["updated_at"] > comment["updated_at"]
    assert alice.client.get(f"/v1/comments/{comment['id']}").json() == edited
    [event] = published("comments.comment_edited.v1")
    assert event == {
        "comment_id": int(comment["id"]),
        "post_id": int(post),
        "author_id": int(bob.id),
        "version": 2,
        "new_mention_ids": [],
        "is_held": False,
        "removed_mention_ids": [],
        "parent_author_id": None,
        "at": event["at"],
    }
    assert event["at"].startswith(edited["updated_at"].removesuffix("Z"))


def test_an_edit_made_meanwhile_is_taken_in(register: Callable[..., Person], monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = register("alice"), register("bob")
    path = f"/v1/comments/{comment_on(alice, write_post(alice), 'draft')['id']}"
    meanwhile = ["hello @bob"]

    def edited_meanwhile(**text: Any) -> Any:
        draft = access.draft_edit(**text)
        if meanwhile:
            assert alice.client.patch(path, {"content": meanwhile.pop()}).status_code == 200
        return draft

    monkeypatch.setattr("apps.comments.actions.comments.draft_edit", edited_meanwhile)
    assert alice.client.patch(path, {"content": "the last word"}).json()["content"] == "the last word"
    edits = published("comments.comment_edited.v1")
    assert [(edit["new_mention_ids"], edit["removed_mention_ids"]) for edit in edits] == [
        ([int(bob.id)], []),
        ([], [int(bob.id)]),
    ]


def test_an_edit_with_the_same_text_changes_nothing(register: Callable[..., Person]) -> None:
    alice = register("alice")
    comment = comment_on(alice, write_post(alice), "same")
    assert alice.client.patch(f"/v1/comments/{comment['id']}", {"content": "same"}).json() == comment
    assert published("comments.comment_edited.v1") == []


def test_an_etag_guards_against_lost_edits(register: Callable[..., Person]) -> None:
    alice = register("alice")
    comment = comment_on(alice, write_post(alice), "one")["id"]
    path = f"/v1/comments/{comment}"
    tag = alice.client.get(path).headers["ETag"]
    assert alice.client.get(path, If_None_Match=tag).status_code == 304
    assert alice.client.patch(path, {"content": "two"}, If_Match=tag).status_code == 200
    assert alice.client.get(path, If_None_Match=tag).status_code == 200
    stale = alice.client.patch(path, {"content": "three"}, If_Match=tag)
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert alice.client.delete(path, If_Match=tag).status_code == 412
    assert alice.client.get(path).json()["content"] == "two"
    assert published_types("comments") == ["comments.comment_created.v1", "comments.comment_edited.v1"]
    assert alice.client.delete(path, If_Match=alice.client.get(path).headers["ETag"]).status_code == 204


def test_a_reaction_makes_no_edit_stale(register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    path = f"/v1/comments/{comment_on(alice, write_post(alice))['id']}"
    tag = alice.client.get(path).headers["ETag"]
    assert bob.client.put(f"{path}/reaction", {"reaction_type": "love"}).status_code == 200
    assert alice.client.get(path, If_None_Match=tag).status_code == 200
    assert alice.client.patch(path, {"content": "changed"}, If_Match=tag).status_code == 200


def test_author_post_author_and_moderators_delete(
    register: Callable[..., Person], drain: Callable[[], int], anonymous: JsonClient
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    post = write_post(alice)
    own, guests, third = (comment_on(bob, post, text)["id"] for text in ("own", "guest's", "third"))
    refused = carol.client.delete(f"/v1/comments/{own}")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_author")
    assert published("comments.comment_deleted.v1") == []
    assert bob.client.delete(f"/v1/comments/{own}").status_code == 204
    assert alice.client.delete(f"/v1/comments/{guests}").status_code == 204
    moderator = Principal(int(carol.id), frozenset({MODERATOR}), 1)
    assert access.removable_comment(principal=moderator, comment_id=int(third)).id == int(third)
    assert bob.client.delete(f"/v1/comments/{own}").status_code == 404
    assert anonymous.get(f"/v1/comments/{own}").status_code == 404
    assert published("comments.comment_deleted.v1") == [
        {"comment_id": int(comment), "post_id": int(post), "author_id": int(bob.id), "was_withdrawn": False}
        for comment in (own, guests)
    ]
    assert anonymous.get(f"/v1/posts/{post}").json()["comments_count"] == 1
