"""A user who has just registered is found by name at once, before the event of the registration has arrived."""

from collections.abc import Callable

import pytest

from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def sign_up(username: str) -> str:
    body = {"email": f"{username}@example.org", "password": "correct horse battery", "username": username}
    answer = JsonClient().post("/v1/auth/register", body)
    assert answer.status_code == 201
    return str(answer.json()["user"]["id"])


def test_a_new_profile_is_found_by_its_name_in_any_case(register: Callable[..., Person]) -> None:
    alice = register("alice")
    bob_id = sign_up("Bob_New")
    for name in ("Bob_New", "bob_new", "BOB_NEW"):
        for client in (JsonClient(), alice.client):
            answer = client.get(f"/v1/profiles/by-username/{name}")
            assert (answer.status_code, answer.json()["id"]) == (200, bob_id)
    assert JsonClient().get("/v1/profiles/by-username/nobody").status_code == 404


@pytest.mark.parametrize("kind", ["post", "comment"])
def test_a_mention_of_a_new_user_notifies_them(
    register: Callable[..., Person], drain: Callable[[], int], kind: str
) -> None:
    alice = register("alice")
    post_id = alice.client.post("/v1/posts", {"content": "hello"}).json()["id"]
    drain()
    body = {"email": "bob@example.org", "password": "correct horse battery", "username": "bob"}
    bob = JsonClient(JsonClient().post("/v1/auth/register", body).json()["access"])
    path = "/v1/posts" if kind == "post" else f"/v1/posts/{post_id}/comments"
    assert alice.client.post(path, {"content": "welcome @bob"}).status_code == 201
    drain()
    kinds = [item["kind"] for item in bob.get("/v1/notifications").json()["results"]]
    assert kinds == ["mention"]


def test_looking_up_a_deleted_user_by_name_does_not_recreate_them(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    bob = register("bob")
    assert bob.client.delete("/v1/auth/me", {"password": "correct horse battery"}).status_code == 202
    assert JsonClient().get("/v1/profiles/by-username/bob").status_code == 404
    drain()
    assert JsonClient().get("/v1/profiles/by-username/bob").status_code == 404
