"""Who may access whose objects: every route of the API with an object's id, requested by every kind of viewer.

The table is exact, and a route that is not in it fails, so that adding one requires stating who may use it. A refused
request writes nothing: no row, and no event.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from apps.auth.actions import grant_role
from apps.moderation import actions as moderation
from socialapp.core.cache import redis_client
from socialapp.http.admission import REVOKED_KEY
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.security.routes import Operation, operations
from tests.security.rows import row_counts

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PASSWORD = "correct horse battery"
VIEWERS = ("anonymous", "stranger", "follower", "blocked", "banned", "moderator", "admin", "owner")

# The objects belong to a private account. Statuses in the order of VIEWERS.
MATRIX: dict[str, str] = {
    "GET /v1/auth/erasures/{erasure_id}": "404 404 404 404 404 404 404 404",
    "GET /v1/auth/exports/{export_id}": "401 404 404 404 401 404 404 404",
    "GET /v1/auth/exports/{export_id}/archive": "404 404 404 404 401 404 404 404",
    "DELETE /v1/auth/sessions/{session_id}": "401 404 404 404 401 404 404 204",
    "DELETE /v1/auth/passkeys/{passkey_id}": "401 403 403 403 401 403 403 403",
    "DELETE /v1/auth/social/{provider}": "401 403 403 403 401 403 403 403",
    "POST /v1/auth/social/{provider}/link": "401 422 422 422 401 422 422 422",
    "POST /v1/auth/social/{provider}": "404 404 404 404 401 404 404 404",
    "GET /v1/auth/social/{provider}/authorize": "404 404 404 404 401 404 404 404",
    "GET /v1/comments/{comment_id}": "404 404 200 404 401 404 404 200",
    "PATCH /v1/comments/{comment_id}": "401 404 403 404 401 404 404 200",
    "DELETE /v1/comments/{comment_id}": "401 404 403 404 401 404 404 204",
    "PUT /v1/comments/{comment_id}/reaction": "401 404 200 404 401 404 404 200",
    "DELETE /v1/comments/{comment_id}/reaction": "401 404 200 404 401 404 404 200",
    "GET /v1/comments/{comment_id}/reactions": "404 404 200 404 401 404 404 200",
    "GET /v1/comments/{comment_id}/replies": "404 404 200 404 401 404 404 200",
    "POST /v1/follow-requests/{user_id}/accept": "401 404 404 404 401 404 404 200",
    "POST /v1/follow-requests/{user_id}/reject": "401 404 404 404 401 404 404 200",
    "GET /v1/hashtags/{tag}/posts": "200 200 200 200 401 200 200 200",
    "GET /v1/media/{media_id}": "401 404 404 404 401 404 404 404",
    "PATCH /v1/media/{media_id}": "401 404 404 404 401 404 404 404",
    "DELETE /v1/media/{media_id}": "401 404 404 404 401 404 404 404",
    "GET /v1/media/{media_id}/upload": "401 404 404 404 401 404 404 404",
    "POST /v1/media/{media_id}/complete": "401 404 404 404 401 404 404 404",
    "PUT /v1/media/{media_id}/content": "404 404 404 404 401 404 404 404",
    "DELETE /v1/notifications/{notification_id}": "401 404 404 404 401 404 404 204",
    "GET /v1/posts/{post_id}": "404 404 200 404 401 404 404 200",
    "PATCH /v1/posts/{post_id}": "401 404 403 404 401 404 404 200",
    "DELETE /v1/posts/{post_id}": "401 404 403 404 401 404 404 204",
    "PUT /v1/posts/{post_id}/bookmark": "401 404 200 404 401 404 404 200",
    "DELETE /v1/posts/{post_id}/bookmark": "401 404 200 404 401 404 404 200",
    "GET /v1/posts/{post_id}/comments": "404 404 200 404 401 404 404 200",
    "POST /v1/posts/{post_id}/comments": "401 404 201 404 401 404 404 201",
    "GET /v1/posts/{post_id}/history": "404 404 200 404 401 404 404 200",
    "GET /v1/posts/{post_id}/metrics": "401 404 403 404 401 404 404 200",
    "PUT /v1/posts/{post_id}/mute": "401 404 200 404 401 404 404 200",
    "DELETE /v1/posts/{post_id}/mute": "401 404 200 404 401 404 404 200",
    "PUT /v1/posts/{post_id}/reaction": "401 404 200 404 401 404 404 200",
    "DELETE /v1/posts/{post_id}/reaction": "401 404 200 404 401 404 404 200",
    "GET /v1/posts/{post_id}/reactions": "404 404 200 404 401 404 404 200",
    "PUT /v1/posts/{post_id}/repost": "401 404 403 404 401 404 404 403",
    "DELETE /v1/posts/{post_id}/repost": "401 404 200 404 401 404 404 200",
    "GET /v1/posts/{post_id}/visibility": "401 403 403 403 401 200 200 403",
    "GET /v1/profiles/{profile_id}/posts": "200 200 200 404 401 200 200 200",
    "GET /v1/profiles/{user_id}": "200 200 200 404 401 200 200 200",
    "PUT /v1/profiles/{user_id}/block": "401 200 200 404 401 200 200 422",
    "DELETE /v1/profiles/{user_id}/block": "401 200 200 404 401 200 200 422",
    "PUT /v1/profiles/{user_id}/follow": "401 200 200 404 401 200 200 422",
    "DELETE /v1/profiles/{user_id}/follow": "401 200 200 404 401 200 200 422",
    "GET /v1/profiles/{user_id}/followers": "403 403 200 404 401 200 200 200",
    "GET /v1/profiles/{user_id}/following": "403 403 200 404 401 200 200 200",
    "PUT /v1/profiles/{user_id}/mute": "401 200 200 404 401 200 200 422",
    "DELETE /v1/profiles/{user_id}/mute": "401 200 200 404 401 200 200 422",
    "GET /v1/profiles/{user_id}/relationship": "401 200 200 404 401 200 200 200",
    "GET /v1/profiles/by-username/{username}": "200 200 200 404 401 200 200 200",
    "DELETE /v1/push-subscriptions/{subscription_id}": "401 404 404 404 401 404 404 404",
    "GET /v1/users/{user_id}": "200 200 200 404 401 200 200 200",
}

BODIES: dict[str, dict[str, Any]] = {
    "PATCH /v1/comments/{comment_id}": {"content": "changed"},
    "PATCH /v1/media/{media_id}": {"description": "changed"},
    "PATCH /v1/posts/{post_id}": {"content": "changed"},
    "POST /v1/posts/{post_id}/comments": {"content": "said"},
    "PUT /v1/comments/{comment_id}/reaction": {"reaction_type": "like"},
    "PUT /v1/posts/{post_id}/reaction": {"reaction_type": "like"},
    "POST /v1/auth/social/{provider}": {"code": "x", "state": "x", "redirect_uri": "http://127.0.0.1:8000/x"},
}


@dataclass
class World:
    """All viewers, and the owner's objects."""

    clients: dict[str, JsonClient]
    ids: dict[str, str]


@pytest.fixture
def world(register: Callable[..., Person], drain: Callable[[], int]) -> World:
    people = {name: register(f"x_{name}") for name in VIEWERS if name != "anonymous"}
    people["asking"] = register("x_asking")
    owner = people["owner"]
    post_id = owner.client.post("/v1/posts", {"content": "mine #mine"}).json()["id"]
    drain()
    comment_id = owner.client.post(f"/v1/posts/{post_id}/comments", {"content": "mine too"}).json()["id"]
    people["follower"].client.put(f"/v1/profiles/{owner.id}/follow")
    drain()
    people["follower"].client.put(f"/v1/posts/{post_id}/reaction", {"reaction_type": "like"})
    owner.client.put(f"/v1/profiles/{people['blocked'].id}/block")
    owner.client.patch("/v1/profiles/me", {"is_private": True})
    drain()
    people["asking"].client.put(f"/v1/profiles/{owner.id}/follow")
    drain()
    clients = {"anonymous": JsonClient(), **{name: person.client for name, person in people.items()}}
    for role in ("moderator", "admin"):
        grant_role(user_id=int(people[role].id), role=role)
        answer = JsonClient().post("/v1/auth/login", {"login": people[role].username, "password": PASSWORD})
        clients[role] = JsonClient(answer.json()["access"])
    moderation.ban_user(moderator_id=int(people["admin"].id), user_id=int(people["banned"].id), reason="spam")
    drain()
    # Nothing is committed in this test, so nobody was notified of the ban: auth has to be called.
    redis_client().delete(f"{settings.REDIS_PREFIX}{REVOKED_KEY}")
    return World(clients, _ids(owner, people["asking"], post_id, comment_id))


def _ids(owner: Person, asking: Person, post_id: str, comment_id: str) -> dict[str, str]:
    """The value of each parameter: an object of the owner, or an id that nothing has."""
    sessions = owner.client.get("/v1/auth/sessions").json()["results"]
    notifications = owner.client.get("/v1/notifications").json()["results"]
    return {
        "post_id": post_id,
        "comment_id": comment_id,
        "user_id": owner.id,
        "profile_id": owner.id,
        "requester_id": asking.id,
        "username": owner.username,
        "session_id": sessions[0]["id"],
        "notification_id": notifications[0]["id"],
        "tag": "mine",
        "provider": "google",
    }


def test_authorization_of_every_route_is_as_in_the_table(world: World) -> None:
    found = {}
    for operation in operations():
        if "{" in operation.path:
            found[operation.name] = " ".join(str(_ask(world, operation, viewer)) for viewer in VIEWERS)
    wrong = [f'    "{name}": "{found[name]}",' for name in found if MATRIX.get(name) != found[name]]
    assert not wrong, "say who may do it, or fix it:\n" + "\n".join(wrong)
    assert MATRIX.keys() == found.keys(), "the table has a route that no longer exists"


def _ask(world: World, operation: Operation, viewer: str) -> int:
    ids = {**world.ids, **({"user_id": world.ids["requester_id"]} if "follow-requests" in operation.path else {})}
    path = operation.path
    for name in [part.partition("}")[0] for part in path.split("{")[1:]]:
        path = path.replace(f"{{{name}}}", ids.get(name, "12345"))
    with _undone():
        before = row_counts()
        body = BODIES.get(operation.name) if operation.method in ("POST", "PUT", "PATCH") else None
        answer = world.clients[viewer].request(operation.method, path, body)
        if answer.status_code >= 400 or operation.method == "GET":
            assert row_counts() == before, f"{operation.name} by {viewer}: {answer.status_code}, yet rows were written"
    status: int = answer.status_code
    return status


@contextmanager
def _undone() -> Iterator[None]:
    """Rolls back what the block writes, in every database."""
    with ExitStack() as stack:
        for alias in ALL_CONTEXTS:
            stack.enter_context(transaction.atomic(using=alias))
        yield
        for alias in ALL_CONTEXTS:
            transaction.set_rollback(True, using=alias)
