"""Seeing through split services: one trace over all of them, and the way of one request from the rows of all."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from socialapp.core.contexts import CONTEXTS
from socialapp.messaging.registry import handlers_of
from tests.deploy.otlp import Collector, collecting
from tests.multi_service.cluster import Cluster, Service, cluster
from tests.scenarios.product import eventually, own_services

_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_REQUEST = "see-me-in-all-services"
_EVENT = "posts.post_created.v1"


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, Collector]]:
    """Three services; somebody who is followed posts, and a socket is told."""
    with ExitStack() as stack:
        collector = stack.enter_context(collecting())
        own = stack.enter_context(own_services())
        traced = {**own, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        services = stack.enter_context(cluster("split3", tmp_path_factory.mktemp("seeing"), traced))
        alice, bob = services.product().join("alice"), services.product().join("bob")
        bob.follow(alice)
        eventually(lambda: alice.get(f"/v1/profiles/{alice.id}").json()["followers_count"] == 1)
        with bob.socket() as socket:
            headers = {"X-Request-ID": _REQUEST, "traceparent": f"00-{_TRACE}-b7ad6b7169203331-01"}
            assert alice.post("/v1/posts", {"content": f"hello @{bob.username}"}, **headers).status_code == 201
            assert socket.next("notification")
        yield services, collector


def test_one_trace_over_all_services(seen: tuple[Cluster, Collector]) -> None:
    _, collector = seen
    every = {f"handle {handler.name}" for context in CONTEXTS for handler in handlers_of(context, _EVENT)}
    eventually(lambda: collector.names(_TRACE) >= {"POST v1/posts", "push to sockets", *every})
    spans = collector.trace(_TRACE)
    # A service tells of a call only when it has ended: after what the other side has made of it.
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


def test_the_way_of_one_request_is_told_in_every_service(seen: tuple[Cluster, Collector]) -> None:
    services, _ = seen
    every = {handler.name for context in CONTEXTS for handler in handlers_of(context, _EVENT)}

    def handled() -> set[str]:
        (created,), _ = traced_from(services.services["finding"])
        return {one["handler"] for one in created["received"] if one["outcome"] == "handled"}

    eventually(lambda: handled() == every)
    for service in services.services.values():
        (created,), complaint = traced_from(service)
        assert {one["handler"] for one in created["received"]} == every
        assert complaint == ""
    services.services["people"].stop()
    (created,), complaint = traced_from(services.services["content"])
    assert {one["context"] for one in created["received"]} <= {"search", "metrics", "posts", "comments", "reactions"}
    assert "no answer from auth, moderation, notifications, users" in complaint
