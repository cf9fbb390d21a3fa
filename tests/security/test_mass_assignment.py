"""Mass assignment: no route accepts unknown fields, so that protected ones cannot be set along with others."""

from collections.abc import Callable

import pytest

from socialapp.messaging.models import OutboxEvent
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.security.routes import operations

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PRIVILEGED = {
    "id": "1", "user_id": "1", "author": "1", "author_id": "1", "is_staff": True, "is_superuser": True,
    "roles": ["admin"], "status": "active", "email_verified": True, "created_at": "2020-01-01T00:00:00Z",
    "version": 9, "password_hash": "x", "reactions": {"like": 9}, "followers_count": 9, "erased": False,
}  # fmt: skip


def events() -> int:
    return sum(OutboxEvent.objects.using(alias).count() for alias in ALL_CONTEXTS)


def test_no_writable_route_accepts_an_unknown_field(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    alice = register("alice")
    post_id = alice.client.post("/v1/posts", {"content": "mine"}).json()["id"]
    drain()
    comment_id = alice.client.post(f"/v1/posts/{post_id}/comments", {"content": "too"}).json()["id"]
    drain()
    ids = {"post_id": post_id, "comment_id": comment_id, "provider": "google"}
    before, tried = events(), 0
    for operation in operations():
        properties = operation.body_schema().get("properties")
        if not properties:
            continue
        path = operation.path
        for name in [part.partition("}")[0] for part in path.split("{")[1:]]:
            path = path.replace(f"{{{name}}}", ids.get(name, "12345"))
        slipped = {name: value for name, value in PRIVILEGED.items() if name not in properties}
        for client in (alice.client, JsonClient()):
            answer = client.request(operation.method, path, slipped)
            assert 400 <= answer.status_code < 500, (operation.name, answer.content)
            if answer.status_code == 422:
                named = {error["field"] for error in answer.json()["errors"] if error["code"] == "unknown_field"}
                assert named in (set(slipped), set()), operation.name
                tried += 1
    assert tried > 10
    assert events() == before, "a refused request published something"


def test_all_invalid_fields_are_reported_at_once(anonymous: JsonClient) -> None:
    body = {"email": 5, "password": 5, "username": "", "nonsense": 1}
    answer = anonymous.post("/v1/auth/register", body)
    assert answer.status_code == 422
    assert {"email", "password", "username", "nonsense"} <= {error["field"] for error in answer.json()["errors"]}
