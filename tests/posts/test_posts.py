"""Writing, reading, editing and deleting posts."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.auth.actions import grant_role, rename_account
from apps.posts.actions import delete_post, remove_post
from apps.posts.actions import posts as actions
from apps.posts.models import Post, PostEdit, PostHashtag, PostMention
from socialapp.contracts.moderation import ContentRemoved
from socialapp.contracts.posts import Posts
from socialapp.core.db import atomic
from socialapp.messaging.publish import publish
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS, JsonClient, Person, deliver_outbox
from tests.posts.conftest import events, ids_of, read_all

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_creating_a_post_returns_all_its_fields(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]]
) -> None:
    alice = register("alice")
    bob = register("bob")
    body = write(alice, "Hello @BOB and @nobody, see #Straße #один #हिन्दी #2026 #one #ONE a#b")
    assert body.pop("created_at") == body.pop("updated_at")
    post_id = body.pop("id")
    assert body == {
        "author": {
            "id": alice.id,
            "username": "alice",
            "full_name": body["author"]["full_name"],
            "profile_picture": None,
        },
        "content": "Hello @BOB and @nobody, see #Straße #один #हिन्दी #2026 #one #ONE a#b",
        "media": [],
        "is_private": False,
        "hashtags": ["straße", "один", "हिन्दी", "one"],
        "mentions": [{"id": bob.id, "username": "bob"}],
        "reposted_by": None,
        "comments_count": 0,
        "reactions": {"like": 0, "love": 0, "haha": 0, "sad": 0, "angry": 0},
        "reposts_count": 0,
        "my_reaction": None,
        "reposted": False,
        "bookmarked": False,
        "edited": False,
        "sensitive": False,
        "content_warning": None,
        "link_preview": None,
        "withheld": None,
        "comments_locked": False,
    }
    [created] = events("post_created")
    assert created["post_id"] == int(post_id)
    assert created["mention_ids"] == [int(bob.id)]
    assert created["hashtags"] == ["straße", "один", "हिन्दी", "one"]
    assert bob.client.get(f"/v1/posts/{post_id}").json()["id"] == post_id


def test_reading_needs_no_token_and_knows_etags(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], anonymous: JsonClient
) -> None:
    post = write(register("alice"))
    answer = anonymous.get(f"/v1/posts/{post['id']}")
    assert answer.status_code == 200
    assert answer.json() == post
    again = anonymous.get(f"/v1/posts/{post['id']}", If_None_Match=answer["ETag"])
    assert again.status_code == 304
    assert anonymous.get("/v1/posts/1").status_code == 404
    assert anonymous.post("/v1/posts", {"content": "x"}).status_code == 401


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "content", "required"),
        ({"content": ""}, "content", "blank"),
        ({"content": "   "}, "content", "blank"),
        ({"content": "x" * 5001}, "content", "max_length"),
        ({"content": 7}, "content", "invalid"),
        ({"content": "a\u0000b"}, "content", "control_character"),
        ({"content": "x", "is_private": "yes"}, "is_private", "invalid"),
        ({"content": "x", "media_ids": ["1"]}, "media_ids", "media_unknown"),
        ({"content": "x", "color": "red"}, "color", "unknown_field"),
    ],
)
def test_bad_input_is_refused_and_changes_nothing(
    register: Callable[..., Person], body: dict[str, Any], field: str, code: str
) -> None:
    alice = register("alice")
    answer = alice.client.post("/v1/posts", body)
    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]
    assert not Post.objects.exists()
    assert not events("post_created")


def test_longest_content_and_many_tags(register: Callable[..., Person], write: Callable[..., dict[str, Any]]) -> None:
    alice = register("alice")
    body = write(alice, "é" * 5000, media_ids=[])
    assert len(body["content"]) == 5000
    body = write(alice, " ".join(f"#tag{number}" for number in range(40)))
    assert len(body["hashtags"]) == 30
    # Databases that compare without accents must still keep both.
    assert write(alice, "#café #cafe")["hashtags"] == ["café", "cafe"]


def test_the_same_idempotency_key_writes_once(register: Callable[..., Person]) -> None:
    alice = register("alice")
    first = alice.client.post("/v1/posts", {"content": "once"}, Idempotency_Key="k1")
    second = alice.client.post("/v1/posts", {"content": "once"}, Idempotency_Key="k1")
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert Post.objects.count() == 1
    assert len(events("post_created")) == 1
    other = alice.client.post("/v1/posts", {"content": "twice"}, Idempotency_Key="k1")
    assert other.status_code == 422


def test_privacy_defaults_to_that_of_the_account(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], make_private: Callable[[Person], None]
) -> None:
    alice = register("alice")
    assert write(alice)["is_private"] is False
    assert write(alice, is_private=True)["is_private"] is True
    make_private(alice)
    assert write(alice)["is_private"] is True
    assert write(alice, is_private=False)["is_private"] is False


def test_editing_keeps_history(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], anonymous: JsonClient
) -> None:
    alice, bob = register("alice"), register("bob")
    post = write(alice, "one #a #b")
    path = f"/v1/posts/{post['id']}"
    tag = alice.client.get(path)["ETag"]
    answer = alice.client.patch(path, {"content": "two #b #c @bob"}, If_Match=tag)
    assert answer.status_code == 200
    edited = answer.json()
    assert edited["content"] == "two #b #c @bob"
    assert edited["edited"] is True
    assert edited["hashtags"] == ["b", "c"]
    assert edited["mentions"] == [{"id": bob.id, "username": "bob"}]
    assert edited["created_at"] == post["created_at"]
    assert edited["updated_at"] > post["updated_at"]
    [event] = events("post_edited")
    assert (event["version"], event["new_mention_ids"], event["hashtags"]) == (2, [int(bob.id)], ["b", "c"])

    stale = alice.client.patch(path, {"content": "three"}, If_Match=tag)
    assert stale.status_code == 412
    assert anonymous.get(path).json()["content"] == "two #b #c @bob"
    assert alice.client.patch(path, {}, If_Match=answer["ETag"]).status_code == 200
    assert len(events("post_edited")) == 1

    assert alice.client.patch(path, {"content": "three #b @bob"}).status_code == 200
    assert events("post_edited")[1]["new_mention_ids"] == []
    history = anonymous.get(f"{path}/history").json()["results"]
    assert [(item["version"], item["content"]) for item in history] == [(2, "two #b #c @bob"), (1, "one #a #b")]
    assert history[1]["created_at"] == post["created_at"]
    assert set(PostHashtag.objects.values_list("tag", flat=True)) == {"b"}
    assert ids_of(read_all(anonymous, "/v1/hashtags/b/posts")) == [post["id"]]
    assert ids_of(read_all(anonymous, "/v1/hashtags/a/posts")) == []


def test_private_versions_stay_private_in_the_history(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    anonymous: JsonClient,
) -> None:
    alice, bob = register("alice"), register("bob")
    follow(bob, alice)
    post = write(alice, "secret", is_private=True)
    path = f"/v1/posts/{post['id']}"
    assert anonymous.get(f"{path}/history").status_code == 404
    assert alice.client.patch(path, {"content": "public", "is_private": False}).status_code == 200
    assert alice.client.patch(path, {"content": "public, too"}).status_code == 200
    assert [item["content"] for item in read_all(anonymous, f"{path}/history")] == ["public"]
    for reader in (alice, bob):
        assert [item["content"] for item in read_all(reader.client, f"{path}/history")] == ["public", "secret"]


def test_only_the_author_edits_and_deletes(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    anonymous: JsonClient,
    make_private: Callable[[Person], None],
) -> None:
    alice, bob = register("alice"), register("bob")
    post = write(alice)
    path = f"/v1/posts/{post['id']}"
    before = len(events("post_edited")) + len(events("post_deleted"))
    for answer in (bob.client.patch(path, {"content": "x"}), bob.client.delete(path)):
        assert answer.status_code == 403
        assert answer.json()["code"] == "not_author"
    assert anonymous.patch(path, {"content": "x"}).status_code == 401
    make_private(alice)
    assert bob.client.patch(path, {"content": "x"}).status_code == 404
    assert bob.client.delete(path).status_code == 404
    assert len(events("post_edited")) + len(events("post_deleted")) == before
    assert alice.client.get(path).json() == post


def test_deleting_leaves_nothing(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], drain: Callable[[], int]
) -> None:
    alice, bob = register("alice"), register("bob")
    post = write(alice, "#tag @bob")
    path = f"/v1/posts/{post['id']}"
    alice.client.patch(path, {"content": "#tag @bob again"})
    bob.client.put(f"{path}/bookmark")
    bob.client.put(f"{path}/repost")
    tag = alice.client.get(path)["ETag"]
    assert alice.client.delete(path, If_Match='"1-0000000000000000"').status_code == 412
    assert alice.client.delete(path, If_Match=tag).status_code == 204
    assert alice.client.delete(path).status_code == 404
    assert alice.client.get(path).status_code == 404
    drain()
    from apps.posts.models import Bookmark, Repost, RepostCount

    for model in (Post, PostEdit, PostHashtag, PostMention, Bookmark, Repost, RepostCount):
        assert not model.objects.exists(), model
    [event] = events("post_deleted")
    assert event == {
        "post_id": int(post["id"]),
        "author_id": int(alice.id),
        "was_private": False,
        "version": 3,
        "was_withdrawn": False,
    }


def test_removed_content_is_gone_for_its_author_too_and_twice_is_once(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]]
) -> None:
    alice = register("alice")
    post = write(alice)
    removed = ContentRemoved(
        target_type="post", target_id=int(post["id"]), author_id=int(alice.id), action_id=1, reason="spam"
    )
    other = ContentRemoved(target_type="comment", target_id=int(post["id"]), author_id=1, action_id=2, reason="spam")
    with atomic("moderation"):
        publish(other)
    deliver_outbox()
    assert alice.client.get(f"/v1/posts/{post['id']}").status_code == 200
    for _ in range(2):
        with atomic("moderation"):
            publish(removed)
        deliver_outbox()
    assert alice.client.get(f"/v1/posts/{post['id']}").status_code == 404
    assert len(events("post_withdrawn")) == 1
    assert events("post_deleted") == []


def test_the_service_returns_visible_posts_only(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    follow: Callable[[Person, Person], None],
    make_private: Callable[[Person], None],
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    follow(bob, alice)
    public, private = write(alice, "public"), write(alice, "private", is_private=True)
    both = [int(public["id"]), int(private["id"])]
    posts = client(Posts)
    people = {"anonymous": None, "alice": int(alice.id), "bob": int(bob.id), "carol": int(carol.id)}
    seen = {name: {ref.id for ref in posts.visible(viewer_id=viewer, post_ids=both)} for name, viewer in people.items()}
    assert seen == {"anonymous": {both[0]}, "alice": set(both), "bob": set(both), "carol": {both[0]}}
    everyone = [int(alice.id), int(bob.id), int(carol.id)]
    assert sorted(posts.viewers(post_id=both[0], user_ids=everyone)) == sorted(everyone)
    assert sorted(posts.viewers(post_id=both[1], user_ids=everyone)) == sorted(everyone[:2])
    make_private(alice)
    assert sorted(posts.viewers(post_id=both[0], user_ids=everyone)) == sorted(everyone[:2])
    assert carol.client.put(f"/v1/profiles/{alice.id}/block").status_code == 200
    assert bob.client.put(f"/v1/profiles/{alice.id}/block").status_code == 200
    assert posts.viewers(post_id=both[0], user_ids=everyone) == [int(alice.id)]
    assert posts.visible(viewer_id=int(bob.id), post_ids=both) == []
    assert {ref.id for ref in posts.refs(post_ids=[*both, 5])} == set(both)
    assert [found.content for found in posts.document_page(after=0, limit=1)] == ["public"]
    assert [found.content for found in posts.document_page(after=both[0], limit=5)] == ["private"]
    assert {found.content for found in posts.documents(post_ids=[*both, 5])} == {"public", "private"}
    [body] = posts.post_bodies(viewer_id=int(alice.id), post_ids=both[:1])
    assert body == alice.client.get(f"/v1/posts/{both[0]}").json()
    delete_post(post_id=both[0])
    assert posts.documents(post_ids=both[:1]) == []


def test_mentions_of_people_whom_the_reader_may_not_see_are_plain_text(
    register: Callable[..., Person],
    write: Callable[..., dict[str, Any]],
    anonymous: JsonClient,
    drain: Callable[[], int],
    settings: Any,
) -> None:
    settings.ERASURE_GRACE_DAYS = 14
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    post_id = write(alice, "@bob and @carol")["id"]
    drain()

    def named(reader: JsonClient) -> list[list[str]]:
        bodies = [reader.get(f"/v1/posts/{post_id}").json(), *reader.get("/v1/explore").json()["results"]]
        if reader is alice.client:
            bodies += reader.get("/v1/feed").json()["results"]
        return [[mention["username"] for mention in body["mentions"]] for body in bodies]

    assert bob.client.put(f"/v1/profiles/{carol.id}/block").status_code == 200
    assert named(carol.client) == [["carol"]] * 2
    assert named(bob.client) == [["bob"]] * 2
    assert named(anonymous) == [["bob", "carol"]] * 2
    assert carol.client.delete("/v1/auth/me", {"password": "correct horse battery"}).status_code == 202
    assert named(anonymous) == [["bob"]] * 2
    assert named(alice.client) == [["bob"]] * 3


def test_a_private_text_mentions_only_those_who_may_read_it(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], follow: Callable[[Person, Person], None]
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    follow(bob, alice)
    post = write(alice, "@bob @carol @alice", is_private=True)
    assert [mention["username"] for mention in post["mentions"]] == ["bob", "alice"]
    assert events("post_created")[0]["mention_ids"] == [int(bob.id)]
    answer = alice.client.patch(f"/v1/posts/{post['id']}", {"is_private": False})
    assert [mention["username"] for mention in answer.json()["mentions"]] == ["bob", "carol", "alice"]
    assert answer.json()["edited"] is False
    assert events("post_edited")[0]["new_mention_ids"] == [int(carol.id)]
    assert carol.client.put(f"/v1/profiles/{alice.id}/block").status_code == 200
    assert write(alice, "@carol")["mentions"] == []


def test_an_edit_keeps_the_people_whom_unchanged_names_meant(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], drain: Callable[[], int], settings: Any
) -> None:
    """Only new mentions are looked up: names change hands."""
    settings.NAME_KEPT_DAYS = 0
    alice, bob, carol, dave = (register(name) for name in ("alice", "bob", "carol", "dave"))
    path = f"/v1/posts/{write(alice, 'hi @bob')['id']}"
    for person, username in ((bob, "robert"), (carol, "bob")):
        rename_account(user_id=int(person.id), username=username)
        drain()
    old, new = {"id": bob.id, "username": "bob"}, {"id": dave.id, "username": "dave"}
    assert alice.client.patch(path, {"content_warning": "names"}).json()["mentions"] == [old]
    assert alice.client.patch(path, {"content": "hello @Bob and @dave"}).json()["mentions"] == [old, new]
    assert not PostMention.objects.filter(user_id=int(carol.id)).exists()
    assert alice.client.patch(path, {"content": "hello"}).json()["mentions"] == []
    assert alice.client.patch(path, {"content": "@bob"}).json()["mentions"] == [{"id": carol.id, "username": "bob"}]
    assert [(edit["new_mention_ids"], edit["removed_mention_ids"]) for edit in events("post_edited")] == [
        ([], []),
        ([int(dave.id)], []),
        ([], sorted([int(bob.id), int(dave.id)])),
        ([int(carol.id)], []),
    ]


def test_an_edit_keeps_the_mentions_of_people_whom_the_author_may_not_see(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], drain: Callable[[], int], settings: Any
) -> None:
    """Nobody else gets their names' mentions; readers of the post see those whom they may see."""
    settings.NAME_KEPT_DAYS = 0
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    path = f"/v1/posts/{write(alice, 'hi @bob')['id']}"
    assert bob.client.put(f"/v1/profiles/{alice.id}/block").status_code == 200
    for person, username in ((bob, "robert"), (carol, "bob")):
        rename_account(user_id=int(person.id), username=username)
        drain()
    changes: list[dict[str, Any]] = [{"content": "hello @bob"}, {"is_private": True}, {"is_private": False}]
    for change in changes:
        assert alice.client.patch(path, change).json()["mentions"] == []
    assert [(edit["new_mention_ids"], edit["removed_mention_ids"]) for edit in events("post_edited")] == [([], [])] * 3
    assert carol.client.get(path).json()["mentions"] == [{"id": bob.id, "username": "bob"}]


def test_several_posts_at_once(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], anonymous: JsonClient
) -> None:
    alice = register("alice")
    posts = [write(alice, f"post {number}") for number in range(3)]
    hidden = write(alice, "hidden", is_private=True)
    ids = [posts[2]["id"], hidden["id"], posts[0]["id"], "12345"]
    answer = anonymous.get(f"/v1/posts?ids={','.join(ids)}").json()
    assert answer == {"results": [posts[2], posts[0]], "next": None, "previous": None}
    assert anonymous.get("/v1/posts?ids=abc").status_code == 400
    assert anonymous.get("/v1/posts").json()["results"] == []


def test_concurrent_edits_of_different_fields_are_both_kept(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two devices, neither with If-Match: what one did not send is not put back to what it was."""
    alice = register("alice")
    path = f"/v1/posts/{write(alice, 'one')['id']}"
    draft_post = actions.draft_post  # type: ignore[attr-defined]

    def edit_meanwhile(**arguments: Any) -> Any:
        monkeypatch.setattr(actions, "draft_post", draft_post)
        assert alice.client.patch(path, {"content": "two"}).status_code == 200
        return draft_post(**arguments)

    monkeypatch.setattr(actions, "draft_post", edit_meanwhile)
    answer = alice.client.patch(path, {"is_private": True})
    assert (answer.status_code, answer.json()["content"], answer.json()["is_private"]) == (200, "two", True)
    assert [item["content"] for item in read_all(alice.client, f"{path}/history")] == ["one"]
    assert [event["version"] for event in events("post_edited")] == [2, 3]


def test_moderators_see_which_rule_shows_or_hides_a_post(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], follow: Callable[[Person, Person], None]
) -> None:
    staff = register("staff_member")
    grant_role(user_id=int(staff.id), role="moderator")
    login = {"login": staff.username, "password": "correct horse battery"}
    moderator = JsonClient(JsonClient().post("/v1/auth/login", login).json()["access"])
    author, follower, stranger, blocked = (register(name) for name in ("author", "follower", "stranger", "blocked"))
    follow(follower, author)
    assert author.client.put(f"/v1/profiles/{blocked.id}/block").status_code == 200
    public, private = write(author, "for all"), write(author, "for some", is_private=True)

    def rules(post: Any) -> list[Any]:
        """(visible, rule) for each viewer, the last of them nobody in particular."""
        answers = [
            moderator.get(f"/v1/posts/{post['id']}/visibility{query}").json()
            for query in (*(f"?viewer={person.id}" for person in (author, follower, stranger, blocked)), "")
        ]
        return [(answer["visible"], answer["rule"]) for answer in answers]

    assert rules(public) == [
        (True, "own"), (True, "follower"), (True, "public"), (False, "blocked"), (True, "public"),
    ]  # fmt: skip
    assert rules(private) == [
        (True, "own"), (True, "follower"), (False, "post_private"), (False, "blocked"), (False, "post_private"),
    ]  # fmt: skip
    assert author.client.patch("/v1/profiles/me", {"is_private": True}).status_code == 200
    assert rules(public)[2:] == [(False, "account_private"), (False, "blocked"), (False, "account_private")]
    remove_post(post_id=int(public["id"]), action_id=1)
    assert rules(public) == [(False, "removed")] * 5
    path = f"/v1/posts/{private['id']}/visibility"
    assert stranger.client.get(path).json()["code"] == author.client.get(path).json()["code"] == "not_staff"
    assert moderator.get(f"{path}?viewer=me").json()["code"] == "viewer_invalid"
    assert moderator.get("/v1/posts/12345/visibility").json()["code"] == "not_found"
