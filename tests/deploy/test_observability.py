"""Observability: one trace from a request to the last socket, metrics of every role, and what queries them."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

import socialapp.telemetry.metrics  # noqa: F401  (declares them)
from socialapp.core.contexts import CONTEXTS
from socialapp.messaging.registry import handlers_of
from socialapp.runtime.roles import ROLES
from tests.deploy.otlp import Collector, collecting
from tests.deploy.processes import Roles, installed, until
from tests.scenarios.product import PASSWORD, ROOT, Product

FOLDER = ROOT / "docker" / "observability"
_NAME = re.compile(r"socialapp_\w+")
_TRACE = "0af7651916cd43dd8448eb211c80319c"
_CALLER = "b7ad6b7169203331"
_REQUEST = "see-me-everywhere"
_SOCKET = "see-my-socket"
_TEXT = "nobody else may read this"


@dataclass
class Seen:
    """The traces, logs and metrics that one scenario has produced."""

    roles: Roles
    collector: Collector
    numbers: dict[str, dict[str, float]]  # of every role: sample with its labels → value
    families: set[str]
    private: list[str]  # values that no log may contain


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """All roles in their own processes; a user follows, another posts, a socket receives the notification."""
    folder = tmp_path_factory.mktemp("seen")
    with ExitStack() as stack:
        collector = stack.enter_context(collecting())
        endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_SERVICE_NAME": "socialapp-test"}
        roles = stack.enter_context(installed(folder, WORKER_POOL="prefork", WORKER_CONCURRENCY="1", **endpoint))
        for role in ROLES:
            roles.start(role, PROMETHEUS_MULTIPROC_DIR=str(folder / "metrics" / role))
        private = act_out_a_story(roles)
        until(lambda: "push to sockets" in {span.name for span in collector.trace(_TRACE).values()})
        until(lambda: _all_listeners_have_it(roles))
        until(lambda: "socialapp_sockets_connected 0.0" in _metrics(roles, "sockets"))
        numbers: dict[str, dict[str, float]] = {}
        families: set[str] = set()
        for role in ROLES:
            found = list(text_string_to_metric_families(_metrics(roles, role)))
            families |= {sample.name for family in found for sample in family.samples} | {one.name for one in found}
            numbers[role] = {_with_labels(sample): sample.value for family in found for sample in family.samples}
        for role in ROLES:
            assert roles.stop(role)[0] == 0, roles.said(role)
        yield Seen(roles, collector, numbers, families, private)


def _metrics(roles: Roles, role: str) -> str:
    return httpx.get(f"http://127.0.0.1:{roles.metrics_ports[role]}/metrics", timeout=20).text


def _all_listeners_have_it(roles: Roles) -> bool:
    metrics = _metrics(roles, "worker")
    return all(
        f'socialapp_delivery_seconds_count{{context="{context}",type="posts.post_created.v1"}}' in metrics
        for context in ("users", "notifications", "search", "metrics")
    )


def _with_labels(sample: Any) -> str:
    return str(sample.name) + "".join(f" {key}={value}" for key, value in sorted(sample.labels.items()))


def act_out_a_story(roles: Roles) -> list[str]:
    """Runs the scenario; returns the values that must not appear in logs."""
    product = Product(f"http://127.0.0.1:{roles.environment['WEB_PORT']}", roles.environment, None)  # type: ignore[arg-type]
    alice, bob = product.join("alice"), product.join("bob")
    assert bob.follow(alice)["following"] is True
    until(lambda: roles.unsent() == 0)
    assert alice.get("/v1/feed").status_code == 200
    address = f"{alice.username}@example.org"
    mistyped = {"login": address, "password": "an almost secret pass phrase"}
    assert product.call("POST", "/v1/auth/login", mistyped).status_code == 401
    assert product.call("POST", "/v1/auth/password/forgot", {"email": address}).status_code == 202
    sockets = Product(f"http://127.0.0.1:{roles.environment['SOCKETS_PORT']}", roles.environment, None)  # type: ignore[arg-type]
    bob.product.http.close()
    bob.product = sockets
    with bob.socket(additional_headers={"X-Request-ID": _SOCKET}) as socket:
        posted = httpx.post(
            f"{product.url}/v1/posts",
            json={"content": f"{_TEXT} @{bob.username}"},
            headers={
                "Authorization": f"Bearer {alice.access}",
                "X-Request-ID": _REQUEST,
                "traceparent": f"00-{_TRACE}-{_CALLER}-01",
            },
            timeout=20,
        )
        assert posted.status_code == 201
        assert socket.next("notification")["notification"]
    sockets.http.close()
    tokens = [token for member in (alice, bob) for token in (member.access, member.refresh)]
    return [PASSWORD, mistyped["password"], address, f"{bob.username}@example.org", _TEXT, *tokens]


def test_one_trace_from_the_request_to_the_socket(seen: Seen) -> None:
    spans = seen.collector.trace(_TRACE)
    by_name = {span.name: span for span in spans.values()}
    request = by_name["POST v1/posts"]
    assert request.parent_span_id.hex() == _CALLER, "the caller's trace is continued"
    attributes = {one.key: one.value for one in request.attributes}
    assert attributes["http.response.status_code"].int_value == 201
    assert attributes["request_id"].string_value == _REQUEST
    published = by_name["publish posts.post_created.v1"]
    assert published.parent_span_id == request.span_id
    asked = {one.value.string_value for span in spans.values() for one in span.attributes if one.key == "db.system"}
    assert asked == {"redis"}, "or SQLite, whose module cannot be instrumented"
    every = [handler for context in CONTEXTS for handler in handlers_of(context, event="posts.post_created.v1")]
    assert {handler.context for handler in every} >= {"notifications", "users", "search", "metrics"}
    taken = {span.name for span in spans.values() if span.parent_span_id == published.span_id}
    assert {f"handle {handler.name}" for handler in every} <= taken
    assert by_name["send posts.post_created.v1"].parent_span_id == published.span_id
    # Mentions are handled in batches: the push still belongs to the trace of its event.
    assert by_name["push to sockets"].parent_span_id == published.span_id
    for span in spans.values():
        assert span.parent_span_id.hex() in {*spans, _CALLER}, f"{span.name} has no parent"
        assert span.end_time_unix_nano >= span.start_time_unix_nano
    assert seen.collector.services == {"socialapp-test"}


def test_a_request_without_a_trace_starts_one(seen: Seen) -> None:
    (feed,) = seen.collector.named("GET v1/feed")
    assert feed.parent_span_id == b""


def test_logs_contain_request_and_trace_ids(seen: Seen) -> None:
    lines = [json.loads(line) for line in seen.roles.said("web").splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line.get("request_id") == _REQUEST and line["event"] == "request"]
    assert line["traceparent"].split("-")[1] == _TRACE
    request = {span.name: span for span in seen.collector.trace(_TRACE).values()}["POST v1/posts"]
    assert line["traceparent"].split("-")[2] == request.span_id.hex()
    assert (line["method"], line["path"], line["status"]) == ("POST", "/v1/posts", 201)


def test_a_socket_logs_a_line_with_its_request_id(seen: Seen) -> None:
    lines = [json.loads(line) for line in seen.roles.said("sockets").splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line["event"] == "socket"]
    assert (line["request_id"], line["path"]) == (_SOCKET, "/ws/notifications/")
    assert line["seconds"] > 0


def test_no_log_contains_private_data(seen: Seen) -> None:
    for role in ROLES:
        said = (seen.roles.folder / f"{role}.log").read_text()
        assert [text for text in seen.private if text in said] == [], role


def test_every_role_exports_metrics(seen: Seen) -> None:
    numbers = seen.numbers
    assert numbers["web"]["socialapp_http_requests_total method=POST route=v1/posts status=201"] == 1
    assert numbers["web"]["socialapp_events_published_total type=posts.post_created.v1"] == 1
    assert numbers["web"]["socialapp_cache_reads_total cache=feed outcome=miss"] == 1
    assert numbers["relay"]["socialapp_events_sent_total type=posts.post_created.v1"] == 1
    assert numbers["worker"]["socialapp_deliveries_total outcome=handled type=posts.post_created.v1"] >= 4
    assert numbers["worker"]["socialapp_delivery_seconds_count context=search type=posts.post_created.v1"] == 1
    assert 0 <= numbers["worker"]["socialapp_delivery_lag_seconds context=search"] < 30
    assert numbers["sockets"]["socialapp_sockets_connected"] == 0, "the open socket has closed"
    for role in ROLES:
        assert numbers[role]["socialapp_outbox_unsent context=posts"] == 0, role
        assert numbers[role]["socialapp_broker_up"] == 1, role
        queues = [name for name in numbers[role] if name.startswith("socialapp_queue_depth queue=")]
        assert any(name.endswith("events.posts") for name in queues), "the depth of each queue"


def expressions() -> Iterator[str]:
    dashboard = json.loads((FOLDER / "grafana/dashboards/socialapp.json").read_text())
    for panel in dashboard["panels"]:
        assert panel["title"]
        assert panel["targets"]
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "5m")
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]


def test_dashboard_and_alerts_are_valid_promql() -> None:
    found = list(expressions())
    assert len(found) > 30
    for expression in found:
        promql_parser.parse(expression)


def test_alerts_are_complete() -> None:
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            if "record" in rule:
                assert rule.keys() == {"record", "expr"}
                continue
            assert rule.keys() - {"for"} == {"alert", "expr", "labels", "annotations"}
            assert rule["labels"]["severity"] in ("page", "warn")
            assert rule["annotations"]["summary"].count("{{") == rule["annotations"]["summary"].count("}}") <= 2
            documented = (ROOT / "docs/observability.md").read_text()
            assert f"`{rule['alert']}`" in documented, "what to do must be documented"


def test_every_queried_metric_is_exported(seen: Seen) -> None:
    """The queries are those of dashboard, alerts, adapter, autoscalers and documentation."""
    asked = {name for expression in expressions() for name in _NAME.findall(expression)}
    for path in (
        FOLDER / "adapter.yaml",
        *(ROOT / "docker/kubernetes").rglob("*.yaml"),
        ROOT / "docs/observability.md",
    ):
        asked |= set(_NAME.findall(path.read_text()))
    exported = seen.families | {name.removesuffix("_total") for name in seen.families}
    # calls and retries did not happen here, but roles with calls and retries count them
    declared = {family.name for family in REGISTRY.collect()}
    assert asked - exported - {f"{name}_total" for name in declared} == set()
    documented = _stems(set(_NAME.findall((ROOT / "docs/observability.md").read_text())))
    own = _stems({name for name in seen.families if name.startswith("socialapp_")})
    assert own - documented == set()


def test_every_exported_metric_is_shown(seen: Seen) -> None:
    shown = _stems({name for expression in expressions() for name in _NAME.findall(expression)})
    exported = _stems({name for name in seen.families if name.startswith("socialapp_")})
    assert exported - shown == set(), "it must be on the dashboard or in an alert"


def _stems(names: set[str]) -> set[str]:
    return {re.sub(r"_(total|bucket|count|sum|created)$", "", name) for name in names}
