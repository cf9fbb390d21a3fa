"""Endpoints for machines: liveness, readiness by dependency, and Prometheus metrics."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from socialapp.core.contexts import CONTEXTS
from socialapp.messaging.models import FailedDelivery, OutboxEvent
from tests.conftest import ALL_CONTEXTS, JsonClient
from tests.kernel.silent import silent_server

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def samples(client: JsonClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_liveness_checks_no_dependency(anonymous: JsonClient) -> None:
    answer = anonymous.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "live"})


def test_readiness_lists_every_dependency(anonymous: JsonClient) -> None:
    answer = anonymous.get("/health/ready")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "ready"
    assert {f"database:{name}" for name in CONTEXTS} | {"redis", "broker"} <= body["dependencies"].keys()
    assert {state["status"] for state in body["dependencies"].values()} == {"up"}


@pytest.mark.parametrize(
    ("setting", "scheme", "dependency"),
    [
        ("BROKER_URL", "amqp://app:app@", "broker"),
        ("KAFKA_URL", "kafka://", "kafka"),
        ("ELASTICSEARCH_URL", "http://", "search"),
    ],
)
def test_an_outage_of_an_optional_dependency_leaves_it_ready(
    anonymous: JsonClient, settings: Any, setting: str, scheme: str, dependency: str
) -> None:
    with silent_server() as port:
        setattr(settings, setting, f"{scheme}127.0.0.1:{port}/")
        started = timezone.now()
        answer = anonymous.get("/health/ready")
        assert timezone.now() - started < timedelta(seconds=15), "a probe takes 2 s, and must not hang"
    assert answer.status_code == 200
    body = answer.json()
    down = [name for name, state in body["dependencies"].items() if state["status"] == "down"]
    assert (body["status"], down) == ("degraded", [dependency])


def test_without_a_database_it_is_not_ready(anonymous: JsonClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connections

    class Refusing:
        def __getitem__(self, alias: str) -> Any:
            if alias == "posts":
                raise ConnectionRefusedError(alias)
            return connections[alias]

    monkeypatch.setattr("socialapp.ops.probes.connections", Refusing())
    answer = anonymous.get("/health/ready")
    assert answer.status_code == 503
    states = answer.json()["dependencies"]
    assert answer.json()["status"] == "unavailable"
    assert [name for name, state in states.items() if state["status"] == "down"] == ["database:posts"]


def test_requests_are_counted_by_route_instead_of_path(anonymous: JsonClient) -> None:
    key = (
        "socialapp_http_requests_total",
        (("method", "GET"), ("route", "v1/posts/<id:post_id>/metrics"), ("status", "401")),
    )
    before = samples(anonymous).get(key, 0)
    assert anonymous.get("/v1/posts/1/metrics").status_code == 401
    assert anonymous.get("/v1/posts/2/metrics").status_code == 401
    assert anonymous.get("/v1/no/such/path").status_code == 404
    after = samples(anonymous)
    assert after[key] == before + 2
    assert ("socialapp_http_requests_total", (("method", "GET"), ("route", "unmatched"), ("status", "404"))) in after


def test_backlog_and_dead_letters_are_counted_by_context(anonymous: JsonClient, drain: Callable[[], int]) -> None:
    old = OutboxEvent(type="posts.x.v1", subject="1", envelope="{}")
    old.save(using="posts")
    OutboxEvent.objects.using("posts").update(created_at=timezone.now() - timedelta(minutes=5))
    for dead in (True, False, False):
        FailedDelivery(
            event_id=FailedDelivery.objects.using("posts").count(),
            handler="h",
            type="t",
            subject="1",
            envelope="{}",
            error="",
            dead=dead,
            retry_at=timezone.now(),
        ).save(using="posts")
    found = samples(anonymous)

    def gauge(name: str, context: str) -> float:
        return found[(name, (("context", context),))]

    assert gauge("socialapp_outbox_unsent", "posts") == 1
    assert 299 < gauge("socialapp_outbox_lag_seconds", "posts") < 330
    assert gauge("socialapp_dead_letters", "posts") == 1
    assert gauge("socialapp_deliveries_failing", "posts") == 2
    assert gauge("socialapp_outbox_unsent", "users") == gauge("socialapp_dead_letters", "users") == 0
