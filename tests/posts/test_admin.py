"""The admin site: administrators find posts and remove them through the action; moderators see none of it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.auth.models import Role, UserRole
from apps.posts.models import Bookmark, Post
from tests.conftest import ALL_CONTEXTS, Person
from tests.posts.conftest import events

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PAGES = (
    "post",
    "postedit",
    "posthashtag",
    "postmention",
    "bookmark",
    "repost",
    "repostcount",
    "popularauthor",
)


@pytest.fixture
def staff(register: Callable[..., Person]) -> Any:
    """Signs somebody into the admin site as an administrator or a moderator."""

    def make(name: Any, role: Any) -> Any:
        person = register(name)
        given, _ = Role.objects.get_or_create(name=role)
        UserRole.objects.create(user_id=int(person.id), role=given)
        browser = Client()
        login = {"username": name, "password": "correct horse battery"}
        assert browser.post("/admin/login/?next=/admin/", login).status_code == 302
        return browser

    return make


def test_administrators_search_and_remove(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], staff: Any
) -> None:
    alice = register("alice")
    kept, removed = write(alice, "a fine post"), write(alice, "a needle in the hay")
    alice.client.put(f"/v1/posts/{kept['id']}/bookmark")
    client = staff("rooty", "admin")
    for page in PAGES:
        assert client.get(f"/admin/posts/{page}/").status_code == 200, page
    found = client.get("/admin/posts/post/?q=needle").content.decode()
    assert removed["id"] in found
    assert kept["id"] not in found
    assert reverse("admin:moderation_case_about", args=["user", alice.id]) in found
    answer = client.post("/admin/posts/post/", {"action": "remove", "_selected_action": [removed["id"]]})
    assert answer.status_code == 302
    assert list(Post.objects.values_list("id", flat=True)) == [int(kept["id"])]
    assert [event["post_id"] for event in events("post_withdrawn")] == [int(removed["id"])]
    assert Bookmark.objects.count() == 1


def test_moderators_do_not_see_posts_there(
    register: Callable[..., Person], write: Callable[..., dict[str, Any]], staff: Any
) -> None:
    post = write(register("alice"))
    client = staff("moddy", "moderator")
    for page in PAGES:
        assert client.get(f"/admin/posts/{page}/").status_code == 403, page
    client.post("/admin/posts/post/", {"action": "remove", "_selected_action": [post["id"]]})
    assert Post.objects.exists()
