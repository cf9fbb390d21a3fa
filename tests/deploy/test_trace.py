"""`manage.py trace`: the trace of one request, from the rows of all contexts."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from socialapp.messaging.models import FailedDelivery, OutboxEvent
from tests.conftest import ALL_CONTEXTS, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)
REQUEST = "trace-me-0001"


def trace(*arguments: str) -> str:
    out = io.StringIO()
    call_command("trace", REQUEST, *arguments, stdout=out)
    return out.getvalue()


def steps() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(trace("--json"))
    return found


def follow_and_post(register: Callable[..., Person], drain: Callable[[], int]) -> Person:
    alice, bob = register("alice"), register("bob")
    assert bob.client.put(f"/v1/profiles/{alice.id}/follow").status_code == 200
    drain()
    answer = alice.client.post("/v1/posts", {"content": "hello #world"}, X_Request_ID=REQUEST)
    assert answer.status_code == 201
    assert answer["X-Request-ID"] == REQUEST
    return alice


def test_a_trace_leads_from_the_request_to_its_last_handler(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    follow_and_post(register, drain)
    (created,) = steps()
    assert (created["type"], created["state"], created["sent_at"]) == ("posts.post_created.v1", "new", None)
    assert {reception["outcome"] for reception in created["received"]} == {"waiting"}
    drain()
    (created,) = steps()
    handlers = {reception["handler"]: reception for reception in created["received"]}
    assert [reception for reception in created["received"] if reception["outcome"] != "handled"] == []
    assert {"notifications.notify_first_followers", "users.count_post"} & handlers.keys()
    assert all(reception["at"] for reception in created["received"])
    lines = trace().splitlines()
    assert f"posts.post_created.v1 {created['subject']}  event {created['event']}" in lines[0]
    assert any("handled by notifications.notify_first_followers" in line for line in lines)


def test_effects_of_an_event_are_nested_under_it(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    alice = follow_and_post(register, drain)
    post_id = json.loads(alice.client.get(f"/v1/profiles/{alice.id}/posts").content)["results"][0]["id"]
    drain()
    # A comment and its deletion: deleting the post has the comments deleted by a second event, in another context.
    assert alice.client.post(f"/v1/posts/{post_id}/comments", {"content": "first"}).status_code == 201
    drain()
    OutboxEvent.objects.using("posts").filter(correlation=REQUEST).delete()
    assert alice.client.delete(f"/v1/posts/{post_id}", X_Request_ID=REQUEST).status_code == 204
    drain()
    (deleted,) = steps()
    assert deleted["type"] == "posts.post_deleted.v1"
    assert "comments.comment_deleted.v1" in {step["type"] for step in deleted["caused"]}
    assert all(step["context"] == "comments" for step in deleted["caused"] if step["type"].startswith("comments."))
    indented = [line for line in trace().splitlines() if "comments.comment_deleted.v1" in line]
    assert indented
    assert indented[0].startswith("    ")


def test_a_trace_shows_failures(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    follow_and_post(register, drain)
    event = OutboxEvent.objects.using("posts").get(correlation=REQUEST)
    FailedDelivery(
        event_id=event.id,
        handler="notifications.notify_first_followers",
        type=event.type,
        subject=event.subject,
        envelope=event.envelope,
        attempts=7,
        error="ValueError('no')",
        dead=True,
        retry_at=event.created_at,
    ).save(using="notifications")
    dead = [reception for reception in steps()[0]["received"] if reception["outcome"] == "dead"]
    assert [(one["handler"], one["attempts"]) for one in dead] == [("notifications.notify_first_followers", 7)]
    assert "dead by notifications.notify_first_followers, 7 times: ValueError('no')" in trace()


def test_tracing_an_unknown_request_is_an_error(register: Callable[..., Person]) -> None:
    with pytest.raises(CommandError, match=REQUEST) as refused:
        trace()
    assert refused.value.returncode == 1
