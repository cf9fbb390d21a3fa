"""Comments and reactions in the admin site, and moderators at the API."""

import time
from collections.abc import Callable

import jwt
import pytest
from django.conf import settings
from django.test import Client

from apps.auth.actions import grant_role
from apps.auth.models import User
from apps.comments.models import Comment
from apps.reactions.models import Reaction
from socialapp.core.principal import MODERATOR
from socialapp.http.tokens import ALGORITHM
from tests.comments.factories import comment_on, published, write_post
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def as_moderator(person: Person) -> JsonClient:
    """A client whose token says that the person is a moderator."""
    claims = jwt.decode(person.access, options={"verify_signature": False})
    claims |= {"roles": [MODERATOR], "jti": "moderator", "exp": int(time.time()) + 60}
    header = jwt.get_unverified_header(person.access)
    return JsonClient(jwt.encode(claims, settings.JWT_PRIVATE_KEY, algorithm=ALGORITHM, headers=header))


@pytest.fixture
def admin(register: Callable[..., Person]) -> Client:
    ada = register("ada")
    grant_role(user_id=int(ada.id), role="admin")
    browser = Client()
    browser.force_login(User.objects.get(id=int(ada.id)))
    return browser


def test_moderators_remove_what_they_see_and_nothing_else(register: Callable[..., Person]) -> None:
    alice, mia = register("alice"), register("mia")
    comment = comment_on(alice, write_post(alice))
    hidden = f"/v1/comments/{comment_on(alice, write_post(alice, is_private=True))['id']}"
    path = f"/v1/comments/{comment['id']}"
    assert mia.client.delete(path).status_code == 403
    moderator = as_moderator(mia)
    assert [moderator.get(hidden).status_code, moderator.delete(hidden).status_code] == [404, 404]
    assert moderator.patch(path, {"content": "nicer"}).status_code == 403
    assert moderator.delete(path).status_code == 204
    assert moderator.delete(path).status_code == 404
    assert alice.client.get(path).status_code == 404
    assert published("comments.comment_deleted.v1") == []
    assert [event["comment_id"] for event in published("comments.comment_withdrawn.v1")] == [int(comment["id"])]


def test_administrators_delete_comments_and_reactions(
    register: Callable[..., Person], drain: Callable[[], int], admin: Client
) -> None:
    alice = register("alice")
    post = write_post(alice)
    root, lonely = comment_on(alice, post), comment_on(alice, post)
    comment_on(alice, post, "reply", parent=root["id"])
    for path in (f"/v1/posts/{post}/reaction", f"/v1/comments/{root['id']}/reaction"):
        assert alice.client.put(path, {"reaction_type": "like"}).status_code == 200
    reactions = [str(pk) for pk in Reaction.objects.values_list("id", flat=True)]
    for page in ("comments/comment", "comments/commentcount", "reactions/reaction", "reactions/reactioncount"):
        assert admin.get(f"/admin/{page}/").status_code == 200
    assert admin.get(f"/admin/comments/comment/{root['id']}/change/").status_code == 200
    answer = admin.post(
        "/admin/reactions/reaction/", {"action": "remove_reactions", "_selected_action": reactions}, follow=True
    )
    assert answer.status_code == 200
    assert Reaction.objects.count() == 0
    assert alice.client.get(f"/v1/posts/{post}").json()["reactions"]["like"] == 0
    assert len(published("reactions.reaction_removed.v1")) == 2
    chosen = [root["id"], lonely["id"]]
    answer = admin.post("/admin/comments/comment/", {"action": "remove", "_selected_action": chosen}, follow=True)
    assert answer.status_code == 200
    assert [row.is_tombstone for row in Comment.objects.order_by("id")] == [True, True, False]
    assert len(published("comments.comment_withdrawn.v1")) == 2
    drain()
    assert alice.client.get(f"/v1/posts/{post}").json()["comments_count"] == 1


def test_a_deleted_account_leaves_nothing_here(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    alice, bob = register("alice"), register("bob")
    post, bobs = write_post(alice), write_post(bob)
    root = comment_on(bob, post)
    comment_on(alice, post, "reply", parent=root["id"])
    comment_on(alice, bobs)
    for path in (f"/v1/posts/{post}/reaction", f"/v1/comments/{root['id']}/reaction", f"/v1/posts/{bobs}/reaction"):
        for person in (alice, bob):
            assert person.client.put(path, {"reaction_type": "love"}).status_code == 200
    assert bob.client.delete("/v1/auth/me", {"password": "correct horse battery"}).status_code == 202
    drain()
    assert not Comment.objects.filter(user_id=bob.id).exists()
    assert {row.content for row in Comment.objects.all()} == {"", "reply"}
    assert list(Reaction.objects.values_list("user_id", "post_id")) == [(int(alice.id), int(post))]
    assert len(published("comments.user_erased.v1")) == len(published("reactions.user_erased.v1")) == 1
