"""Observability of split services: one trace over all of them, and `manage.py trace` from the rows of all."""

import json
from typing import Any

import pytest

from socialapp.core.contexts import CONTEXTS
from socialapp.messaging.registry import handlers_of
from tests.deploy.otlp import Collector
from tests.multi_service.cluster import Cluster, Service
from tests.scenarios.product import eventually

_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_REQUEST = "see-me-in-all-services"
_EVENT = "posts.post_created.v1"

pytestmark = pytest.mark.parametrize("services", ["split3"], indirect=True)


@pytest.fixture(scope="module")
def _traced(services: Cluster) -> None:
    """Somebody who is followed posts, and a socket receives the notification."""
    alice, bob = services.product().join("alice"), services.product().join("bob")
    bob.follow(alice)
    eventually(lambda: alice.get(f"/v1/profiles/{alice.id}").json()["followers_count"] == 1)
    with bob.socket() as socket:
        headers = {"X-Request-ID": _REQUEST, "traceparent": f"00-{_TRACE}-b7ad6b7169203331-01"}
        assert alice.post("/v1/posts", {"content": f"hello @{bob.username}"}, **headers).status_code == 201
        assert socket.next("notification")


@pytest.mark.usefixtures("_traced")
def test_one_trace_over_all_services(collector: Collector) -> None:
    every = {f"handle {handler.name}" for context in CONTEXTS for handler in handlers_of(context, event=_EVENT)}
    eventually(lambda: collector.names(_TRACE) >= {"POST v1/posts", "push to sockets", *every})
    spans = collector.trace(_TRACE)
    # A service exports the span of a call when the call has ended, so after the spans of the other side.
    eventually(lambda: all(one.parent_span_id.hex() in collector.trace(_TRACE) for one in _answers(collector)))
    spans = collector.trace(_TRACE)
    calls = {spans[span.parent_span_id.hex()].name for span in _answers(collector)}
    assert calls
    assert all(name.startswith("call ") for name in calls), "what a service does for another hangs under the call"
    assert collector.services == {"people", "content", "finding"}


def _answers(collector: Collector) -> list[Any]:
    """What services did for each other within the trace."""
    return [span for span in collector.trace(_TRACE).values() if " internal/" in span.name]


def traced_from(service: Service) -> tuple[list[dict[str, Any]], str]:
    """What `manage.py trace` tells in the place of a service, and what it complains of."""
    ended = service.manage("trace", _REQUEST, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout), ended.stderr


@pytest.mark.usefixtures("_traced")
def test_the_trace_of_one_request_is_shown_in_every_service(services: Cluster) -> None:
    every = {handler.name for context in CONTEXTS for handler in handlers_of(context, event=_EVENT)}

    def handled() -> set[str]:
        (created,), _ = traced_from(services.services["finding"])
        return {one["handler"] for one in created["received"] if one["outcome"] == "handled"}

    eventually(lambda: handled() == every)
    for service in services.services.values():
        (created,), complaint = traced_from(service)
        assert {one["handler"] for one in created["received"]} == every
        assert complaint == ""
    with services.services["people"].hung():
        (created,), complaint = traced_from(services.services["content"])
    assert {one["context"] for one in created["received"]} <= {"search", "metrics", "posts", "comments", "reactions"}
    assert "no answer from auth, moderation, notifications, users" in complaint
