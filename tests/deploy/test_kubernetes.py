"""The manifests are built by kustomize, valid by Kubernetes' schemas, and as restricted as intended."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from socialapp.core.contexts import CONTEXTS
from socialapp.messaging.transports.celery import queue_name, task_queue_name
from socialapp.runtime.roles import ROLES
from tests.scenarios.product import ROOT

FOLDER = ROOT / "docker" / "kubernetes"
OVERLAYS = ("monolith", "split")
VERSION = "1.32"
pytestmark = pytest.mark.skipif(
    not shutil.which("kubectl"), reason="kubectl, which builds the manifests, is not installed"
)

Document = dict[str, Any]


@cache
def built(overlay: str) -> tuple[Document, ...]:
    command = ["kubectl", "kustomize", str(FOLDER / "overlays" / overlay)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    assert made.stderr == ""
    return tuple(yaml.safe_load_all(made.stdout))


def of_kind(overlay: str, *kinds: str) -> dict[str, Document]:
    return {found["metadata"]["name"]: found for found in built(overlay) if found["kind"] in kinds}


def pods(overlay: str) -> dict[str, Document]:
    """The pod templates of deployments and jobs."""
    return {name: found["spec"]["template"] for name, found in of_kind(overlay, "Deployment", "Job").items()}


def fits(selector: Document, labels: dict[str, str]) -> bool:
    """Whether a label selector matches these labels."""
    for rule in selector.get("matchExpressions", []):
        assert rule["operator"] == "In"
        if labels.get(rule["key"]) not in rule["values"]:
            return False
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_manifests_conform_to_the_schemas(overlay: str) -> None:
    for document in built(overlay):
        kubernetes_validate.validate(document, VERSION, strict=True)
    names = [(found["kind"], found["metadata"]["name"]) for found in built(overlay)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_are_isolated(overlay: str) -> None:
    for name, template in pods(overlay).items():
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["enableServiceLinks"] is False, "otherwise a service called web would set WEB_PORT"
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
            assert "memory" in container["resources"]["limits"], name


def test_the_overlay_of_the_documentation_names_the_public_url_everywhere(tmp_path: Path) -> None:
    documented = (ROOT / "docs" / "deploying.md").read_text()
    (overlay,) = re.findall(r"```yaml\n(resources: .*?)```", documented, re.DOTALL)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "kustomization.yaml").write_text(overlay)
    (tmp_path / "socialapp").symlink_to(ROOT)
    made = subprocess.run(["kubectl", "kustomize", str(tmp_path / "mine")], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    assert "https://social.example" not in made.stdout
    found = {each["metadata"]["name"]: each for each in yaml.safe_load_all(made.stdout) if each["kind"] == "Deployment"}
    (container,) = found["gateway"]["spec"]["template"]["spec"]["containers"]
    environment = {each["name"]: each["value"] for each in container["env"]}
    assert environment["PUBLIC_URL"] == "https://your.example"
    assert environment["GATEWAY_TRUSTED"] == "10.0.0.0/8"
    assert environment["UPSTREAM"] == "web:8001"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_gateway_has_as_many_processes_on_every_node(overlay: str) -> None:
    """nginx's own default is one per processor of the node, whose memory exceeds the limit on large nodes."""
    (container,) = pods(overlay)["gateway"]["spec"]["containers"]
    assert {"name": "GATEWAY_WORKERS", "value": "2"} in container["env"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_deployments_survive_drains_and_releases(overlay: str) -> None:
    budgets = [found["spec"]["selector"] for found in of_kind(overlay, "PodDisruptionBudget").values()]
    scaled = {found["spec"]["scaleTargetRef"]["name"] for found in of_kind(overlay, "HorizontalPodAutoscaler").values()}
    for name, found in of_kind(overlay, "Deployment").items():
        spec = found["spec"]["template"]["spec"]
        assert spec["terminationGracePeriodSeconds"] >= 30, name
        assert spec["topologySpreadConstraints"], name
        (container,) = spec["containers"]
        assert {"startupProbe", "livenessProbe"} <= container.keys(), name
        role = found["metadata"]["labels"]["app.kubernetes.io/component"]
        assert (role in ("web", "sockets", "worker")) == (name in scaled), name
        assert "replicas" not in found["spec"] or name not in scaled, "two would fight over the number"
        if role in ("web", "sockets", "gateway"):
            assert {"readinessProbe", "lifecycle"} <= container.keys(), name
        if role != "beat":
            labels = found["spec"]["template"]["metadata"]["labels"]
            assert sum(fits(budget, labels) for budget in budgets) == 1, name


def metrics_of(scaler: Document) -> dict[str, Document]:
    """By name: the metric of a HorizontalPodAutoscaler, with its selector if it has one."""
    found = {}
    for metric in scaler["spec"]["metrics"]:
        kind = metric["type"].lower()
        source = metric[kind]
        found[source["name"] if kind == "resource" else source["metric"]["name"]] = source.get("metric", {}).get(
            "selector"
        )
    return found


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_role_is_scaled_by_its_bottleneck(overlay: str) -> None:
    wanted = {
        "web": {"cpu"},
        "worker": {"socialapp_queue_depth", "socialapp_outbox_lag_seconds"},
        "sockets": {"socialapp_sockets_connected", "cpu"},
    }
    scalers = of_kind(overlay, "HorizontalPodAutoscaler").values()
    assert len(scalers) == (3 if overlay == "monolith" else 2 * len(CONTEXTS) + 1)
    for scaler in scalers:
        role = scaler["metadata"]["labels"]["app.kubernetes.io/component"]
        metrics = metrics_of(scaler)
        assert metrics.keys() == wanted[role]
        assert 2 <= scaler["spec"]["minReplicas"] < scaler["spec"]["maxReplicas"]
        if overlay == "split" and role == "worker":
            context = scaler["spec"]["scaleTargetRef"]["name"].removesuffix("-worker")
            (queues,) = metrics["socialapp_queue_depth"]["matchExpressions"]
            assert (queues["key"], queues["operator"]) == ("queue", "In")
            assert set(queues["values"]) == {queue_name(context), task_queue_name(context)}, "its own, and no others'"
            assert metrics["socialapp_outbox_lag_seconds"] == {"matchLabels": {"context": context}}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_reference_resolves(overlay: str) -> None:
    configs, accounts = of_kind(overlay, "ConfigMap"), of_kind(overlay, "ServiceAccount")
    templates = [template["metadata"]["labels"] for template in pods(overlay).values()]
    for name, template in pods(overlay).items():
        spec = template["spec"]
        assert spec.get("serviceAccountName", "") in {"", *accounts}, name
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            for source in container.get("envFrom", []):
                assert "secretRef" in source or source["configMapRef"]["name"] in configs, name
            named = {volume["name"] for volume in spec["volumes"]}
            assert {mount["name"] for mount in container["volumeMounts"]} <= named, name
        for volume in spec["volumes"]:
            assert "configMap" not in volume or volume["configMap"]["name"] in configs, name
    for name, service in of_kind(overlay, "Service").items():
        assert sum(service["spec"]["selector"].items() <= labels.items() for labels in templates) == 1, name
    for target in of_kind(overlay, "HorizontalPodAutoscaler").values():
        assert target["spec"]["scaleTargetRef"]["name"] in of_kind(overlay, "Deployment")
    assert not of_kind(overlay, "Secret"), "secrets are not part of the manifests"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_roles(overlay: str) -> None:
    arguments = {name: template["spec"]["containers"][0].get("args") for name, template in pods(overlay).items()}
    gateway = arguments.pop("gateway")
    assert gateway is None
    if overlay == "monolith":
        wanted = {"migrate": ["migrate_all"], "media": ["serve", "worker"], **{role: ["serve", role] for role in ROLES}}
    else:
        roles = [role for role in ROLES if role != "sockets"]
        wanted = {f"{context}-{role}": ["serve", role] for context in CONTEXTS for role in roles}
        wanted |= {f"{context}-migrate": ["migrate_all"] for context in CONTEXTS}
        wanted |= {"notifications-sockets": ["serve", "sockets"], "posts-media": ["serve", "worker"]}
    assert arguments == wanted


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_network_policies_allow_what_is_needed(overlay: str) -> None:
    policies = [found["spec"] for found in of_kind(overlay, "NetworkPolicy").values()]

    def may_reach(source: str, target: str, port: int) -> bool:
        one, other = (pods(overlay)[name]["metadata"]["labels"] for name in (source, target))
        goes_out = any(
            any(part["port"] == port for part in rule["ports"])
            and any(fits(peer["podSelector"], other) for peer in rule.get("to", []))
            for policy in policies
            if fits(policy["podSelector"], one)
            for rule in policy.get("egress", [])
        )
        comes_in = any(
            any(part["port"] == port for part in rule["ports"])
            and any(fits(peer["podSelector"], one) for peer in rule.get("from", []) if "podSelector" in peer)
            for policy in policies
            if fits(policy["podSelector"], other)
            for rule in policy.get("ingress", [])
        )
        return goes_out and comes_in

    for name, template in pods(overlay).items():
        assert any(fits(policy["podSelector"], template["metadata"]["labels"]) for policy in policies), name
    if overlay == "monolith":
        assert may_reach("gateway", "web", 8001)
        assert may_reach("gateway", "sockets", 8002)
        assert not may_reach("beat", "web", 8001)
        assert not may_reach("worker", "sockets", 8002)
        return
    assert may_reach("gateway", "notifications-sockets", 8002)
    for context in CONTEXTS:
        assert may_reach("gateway", f"{context}-web", 8001), context
        for other in CONTEXTS:
            for role in ("web", "worker", "relay"):
                assert may_reach(f"{context}-{role}", f"{other}-web", 8001), (context, role, other)
    assert not may_reach("posts-worker", "notifications-sockets", 8002)


def test_split_services_have_each_others_urls() -> None:
    for context in CONTEXTS:
        (config,) = [
            found["data"] for name, found in of_kind("split", "ConfigMap").items() if f"{context}-config" in name
        ]
        assert config["SERVICES"] == context
        assert f"{context}-web" in config["ALLOWED_HOSTS"].split(",")
        for other in CONTEXTS:
            host, port = re.fullmatch(r"http://(.+):(\d+)", config[f"{other.upper()}_URL"]).groups()  # type: ignore[union-attr]
            assert of_kind("split", "Service")[host]["spec"]["ports"][0]["port"] == int(port)
        for role in ("web", "worker", "relay", "beat", "migrate"):
            container = pods("split")[f"{context}-{role}"]["spec"]["containers"][0]
            assert container["envFrom"][1]["secretRef"]["name"] == f"{context}-secrets"


@pytest.mark.parametrize(("overlay", "prefix"), [("monolith", ""), ("split", "posts-")])
def test_media_are_converted_by_separate_workers(overlay: str, prefix: str) -> None:
    def variables(name: str) -> dict[str, str]:
        (container,) = pods(overlay)[prefix + name]["spec"]["containers"]
        return {item["name"]: item["value"] for item in container.get("env", [])}

    assert variables("worker")["WORKER_QUEUES"] == "quick"
    assert variables("media") == {"WORKER_QUEUES": "slow", "WORKER_CONCURRENCY": "1"}
    assert [name for name in pods(overlay) if name.endswith("media")] == [f"{prefix}media"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_variables_that_the_product_reads_are_set(overlay: str) -> None:
    documented = set(re.findall(r"\b([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text()))
    for name, config in of_kind(overlay, "ConfigMap").items():
        if "config" in name.split("-"):
            assert config["data"].keys() <= documented, name
