"""Every route that writes survives being the victim of a deadlock: the transaction is run again, and nobody sees it."""

import itertools
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import OperationalError, connections

from socialapp.core.contexts import CONTEXTS
from tests.conftest import ALL_CONTEXTS

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

_WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


class OneDeadlock:
    """Fails the first statement that writes on one database, as MariaDB ends the victim of a deadlock."""

    def __init__(self) -> None:
        self.hits = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self.hits == 0 and sql.lstrip().upper().startswith(_WRITES):
            self.hits += 1
            raise OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")
        return execute(sql, params, many, context)


Write = Callable[[Any, Any, dict[str, str]], Any]
# name → what alice (first) does, with bob beside her and ids of hers to write on
WRITES: dict[str, tuple[int, Write]] = {
    "log in": (200, lambda a, b, ids: a.client.post("/v1/auth/login", _login(a))),
    "refresh": (200, lambda a, b, ids: a.client.post("/v1/auth/refresh", {"refresh": a.refresh})),
    "log out": (204, lambda a, b, ids: a.client.post("/v1/auth/logout", {"refresh": a.refresh})),
    "change profile": (200, lambda a, b, ids: a.client.patch("/v1/profiles/me", {"bio": "new"})),
    "follow": (200, lambda a, b, ids: a.client.put(f"/v1/profiles/{b.id}/follow")),
    "unfollow": (200, lambda a, b, ids: a.client.delete(f"/v1/profiles/{b.id}/follow")),
    "block": (200, lambda a, b, ids: a.client.put(f"/v1/profiles/{b.id}/block")),
    "mute": (200, lambda a, b, ids: a.client.put(f"/v1/profiles/{b.id}/mute")),
    "create post": (201, lambda a, b, ids: a.client.post("/v1/posts", {"content": "hello"})),
    "edit post": (200, lambda a, b, ids: a.client.patch(f"/v1/posts/{ids['post']}", {"content": "changed"})),
    "delete post": (204, lambda a, b, ids: a.client.delete(f"/v1/posts/{ids['post']}")),
    "bookmark": (200, lambda a, b, ids: a.client.put(f"/v1/posts/{ids['post']}/bookmark")),
    "repost": (200, lambda a, b, ids: b.client.put(f"/v1/posts/{ids['post']}/repost")),
    "comment": (201, lambda a, b, ids: a.client.post(f"/v1/posts/{ids['post']}/comments", {"content": "yes"})),
    "edit comment": (200, lambda a, b, ids: a.client.patch(f"/v1/comments/{ids['comment']}", {"content": "no"})),
    "delete comment": (204, lambda a, b, ids: a.client.delete(f"/v1/comments/{ids['comment']}")),
    "react": (200, lambda a, b, ids: a.client.put(f"/v1/posts/{ids['post']}/reaction", {"reaction_type": "love"})),
    "take reaction back": (200, lambda a, b, ids: b.client.delete(f"/v1/posts/{ids['post']}/reaction")),
    "read notifications": (
        200,
        lambda a, b, ids: a.client.post("/v1/notifications/read", {"up_to": ids["notification"]}),
    ),
    "change preferences": (
        200,
        lambda a, b, ids: a.client.patch("/v1/notifications/preferences", {"follow": {"email": False}}),
    ),
    "report": (
        201,
        lambda a, b, ids: b.client.post(
            "/v1/reports", {"target_type": "post", "target_id": ids["post"], "reason": "spam"}
        ),
    ),
}


def _login(person: Any) -> dict[str, str]:
    return {"login": person.username, "password": "correct horse battery"}


@pytest.fixture
def stage(register: Any, drain: Any) -> tuple[Any, Any, dict[str, str]]:
    """Alice with a post, a comment and a notification; bob, who reacted to the post."""
    alice, bob = register("alice"), register("bob")
    post = alice.client.post("/v1/posts", {"content": "first"}).json()["id"]
    comment = alice.client.post(f"/v1/posts/{post}/comments", {"content": "second"}).json()["id"]
    bob.client.put(f"/v1/posts/{post}/reaction", {"reaction_type": "like"})
    drain()
    notification = alice.client.get("/v1/notifications").json()["results"][0]["id"]
    return alice, bob, {"post": post, "comment": comment, "notification": notification}


@pytest.mark.parametrize(("name", "context"), list(itertools.product(WRITES, CONTEXTS)))
def test_a_deadlock_is_survived(stage: Any, name: str, context: str) -> None:
    status, write = WRITES[name]
    deadlock = OneDeadlock()
    with ExitStack() as stack:
        stack.enter_context(connections[context].execute_wrapper(deadlock))
        answer = write(*stage)
    assert answer.status_code == status, (deadlock.hits, answer.content)


@pytest.mark.parametrize("name", [name for name in WRITES if name != "unfollow"])
def test_each_route_writes(stage: Any, name: str) -> None:
    """The test above proves nothing for a route that writes on no database."""
    deadlocks = []
    with ExitStack() as stack:
        for context in CONTEXTS:
            deadlocks.append(OneDeadlock())
            stack.enter_context(connections[context].execute_wrapper(deadlocks[-1]))
        WRITES[name][1](*stage)
    assert sum(deadlock.hits for deadlock in deadlocks) > 0
