"""Observability of split services: one trace across all of them, and `manage.py trace` from the rows of all."""

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
    """A followed user posts, and a socket receives the notification."""
    alice, bob = services.product().join("alice"), services.product().join("bob")
    bob.follow(alice)
    eventually(lambda: alice.get(f"/v1/profiles/{alice.id}").json()["followers_count"] == 1)
    with bob.socket() as socket:
        headers = {"X-Request-ID": _REQUEST, "traceparent": f"00-{_TRACE}-b7ad6b7169203331-01"}
        assert alice.post("/v1/posts", {"content": f"hello @{bob.username}"}, **headers).status_code == 201
        assert socket.next("notification")


@pytest.mark.usefixtures("_traced")
def test_one_trace_spans_all_services(collector: Collector) -> None:
    every = {f"handle {handler.name}" for context in CONTEXTS for handler in handlers_of(context, event=_EVENT)}
    eventually(lambda: collector.names(_TRACE) >= {"POST v1/posts", "push to sockets", *every})
    spans = collector.trace(_TRACE)
    # A service exports the span of a call when the call has ended, thus after the spans of the other side.
    eventually(lambda: all(one.parent_span_id.hex() in collector.trace(_TRACE) for one in _answers(collector)))
    spans = collector.trace(_TRACE)
    calls = {spans[span.parent_span_id.hex()].name for span in _answers(collector)}
    assert calls
    assert all(name.startswith("call ") for name in calls), "spans of the called service are children of the call"
    assert collector.services == {"people", "content", "finding"}


def _answers(collector: Collector) -> list[Any]:
    """The work that services did for each other within the trace."""
    return [span for span in collector.trace(_TRACE).values() if " internal/" in span.name]


def traced_from(service: Service) -> tuple[list[dict[str, Any]], str]:
    """The output and the warnings of `manage.py trace` in a service."""
    ended = service.manage("trace", _REQUEST, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout), ended.stderr


@pytest.mark.usefixtures("_traced")
def test_every_service_shows_the_whole_trace_of_a_request(services: Cluster) -> None:
    every = {handler.name for context in CONTEXTS for handler in handlers_of(context, event=_EVENT)}

    def handled() -> set[str]:
        (created,), _ = traced_from(services.services["finding"])
        return {one["handler"] for one in created["received"] if one["outcome"] == "handled"}

    def shows_all(service: Service) -> bool:
        (created,), complaint = traced_from(service)
        assert {one["handler"] for one in created["received"]} == every
        assert complaint == ""
        return True

    eventually(lambda: handled() == every)
    for service in services.services.values():
        eventually(lambda service=service: shows_all(service))  # type: ignore[misc]  # another may answer too late
    with services.services["people"].hung():
        (created,), complaint = traced_from(services.services["content"])
    assert {one["context"] for one in created["received"]} <= {"search", "metrics", "posts", "comments", "reactions"}
    assert "no answer from auth, moderation, notifications, users" in complaint
