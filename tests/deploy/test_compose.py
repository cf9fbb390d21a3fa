"""The compose files are valid by the specification, and consistent with image, gateway and variables."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from socialapp.core.contexts import CONTEXTS
from socialapp.runtime.roles import ROLES
from tests.scenarios.product import ROOT

FOLDER = ROOT / "docker"
FILES = ("compose.yaml", "compose.split.yaml")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)(?::(-|\?)([^}]*))?\}")


def text(name: str) -> str:
    return (FOLDER / name).read_text()


def services(name: str) -> dict[str, Any]:
    """The services, with YAML merges done and `extends` resolved."""
    found: dict[str, Any] = yaml.safe_load(text(name))["services"]
    for service in found.values():
        if other := service.pop("extends", None):
            service.update({**services(other["file"])[other["service"]], **service})
    return found


def of_the_product(name: str) -> dict[str, Any]:
    return {key: service for key, service in services(name).items() if "socialapp" in service["image"]}


def _uploads_of_an_address_mb() -> int:
    defaults = {key: int(value) for key, value in re.findall(r"(GATEWAY_[A-Z_]+):=(\d+)m?}", text("gateway/render"))}
    return defaults["GATEWAY_UPLOADS"] * defaults["GATEWAY_MAX_UPLOAD"]


@pytest.mark.parametrize("name", FILES)
def test_compose_files_conform_to_the_specification(name: str) -> None:
    filled_in = _VARIABLE.sub(lambda match: (match[3] or "") if match[2] == "-" else "secret", text(name))
    plain = yaml.safe_load(filled_in)  # with its anchors resolved
    PyCompose.from_yaml(yaml.safe_dump(plain))


@pytest.mark.parametrize("name", FILES)
def test_every_reference_resolves(name: str) -> None:
    whole, found = yaml.safe_load(text(name)), services(name)
    for key, service in found.items():
        assert set(service.get("depends_on", {})) <= found.keys(), key
        assert set(service["networks"]) <= whole["networks"].keys(), key
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (FOLDER / source).exists() if source.startswith(".") else source in whole["volumes"], volume
        for other, needed in service.get("depends_on", {}).items():
            if needed["condition"] == "service_healthy":
                # the product's image brings its own
                assert "healthcheck" in found[other] or "socialapp" in found[other]["image"], other


@pytest.mark.parametrize("name", FILES)
def test_the_gateway_finds_replaced_containers(name: str) -> None:
    """nginx resolves names when it starts, and a replaced container may get another address."""
    gateway = services(name)["gateway"]
    upstreams = {value.partition(":")[0] for key, value in gateway["environment"].items() if key.endswith("UPSTREAM")}
    assert upstreams == gateway["depends_on"].keys()
    for other, needed in gateway["depends_on"].items():
        assert needed == {"condition": "service_healthy", "restart": True}, other


def test_everything_an_installation_needs_is_started_with_it() -> None:
    images = {key: service["image"] for key, service in services("compose.yaml").items() if "profiles" not in service}
    needed = {"mariadb": "database", "redis": "redis", "rabbitmq": "rabbitmq", "elasticsearch": "elasticsearch"}
    for image, name in {**needed, "minio": "objects", "nginx": "gateway"}.items():
        assert image in images[name]
        if name != "gateway":
            assert services("compose.split.yaml")[name] == services("compose.yaml")[name], "the same one"


@pytest.mark.parametrize("name", FILES)
def test_images_are_pinned_without_a_registry(name: str) -> None:
    for service in services(name).values():
        image = _VARIABLE.sub(lambda match: match[3] or "", service["image"])
        first, _, tag = image.rpartition(":")
        assert tag, image
        assert "." not in first, f"{image}: names are enough"
        assert tag != "latest" or first == "socialapp", image


@pytest.mark.parametrize("name", FILES)
def test_the_product_is_isolated(name: str) -> None:
    for key, service in of_the_product(name).items():
        assert service["read_only"] is True, key
        assert service["cap_drop"] == ["ALL"], key
        assert service["security_opt"] == ["no-new-privileges:true"], key
        assert service["stop_grace_period"] == "15s", "longer than the ten seconds in which roles must stop"
        assert "ports" not in service, "only the gateway is reachable from outside"
    published = [key for key, service in services(name).items() if "ports" in service]
    assert set(published) <= {"gateway", "grafana"}


@pytest.mark.parametrize("name", FILES)
def test_only_variables_that_the_product_reads_are_set(name: str) -> None:
    documented = set(re.findall(r"\b([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text()))
    for key, service in of_the_product(name).items():
        assert set(service["environment"]) <= documented, key
    rendered = text("gateway/render")
    for variable in services(name)["gateway"]["environment"]:
        assert variable in rendered or variable.removesuffix("_UPSTREAM").lower() in CONTEXTS, variable


@pytest.mark.parametrize("name", FILES)
def test_the_gateway_can_trust_a_proxy_in_front(name: str) -> None:
    """It would otherwise count all clients as one address."""
    assert services(name)["gateway"]["environment"]["GATEWAY_TRUSTED"] == "${GATEWAY_TRUSTED:-}"


@pytest.mark.parametrize("name", FILES)
def test_the_gateway_may_read_the_volume_of_media(name: str) -> None:
    """The image keeps /data from everybody but its own user and group."""
    owner, group, mode = re.findall(r"--owner=(\d+) --group=(\d+) --mode=(\d+) /data", text("Dockerfile"))[0]
    gateway = services(name)["gateway"]
    assert any(volume.endswith(":/data:ro") for volume in gateway["volumes"])
    user, _, its_group = gateway["user"].partition(":")
    assert (user != owner, its_group == group, mode) == (True, True, "0750")


@pytest.mark.parametrize("name", FILES)
def test_the_uploads_of_one_address_do_not_fill_the_gateways_disk(name: str) -> None:
    (temporary,) = services(name)["gateway"]["tmpfs"]
    assert temporary.endswith(",size=1g")
    assert _uploads_of_an_address_mb() < 1024


def test_every_role_has_a_container() -> None:
    commands = {key: service["command"] for key, service in of_the_product("compose.yaml").items()}
    assert commands == {
        "migrate": ["migrate_all"],
        **{role: ["serve", role] for role in ROLES},
        "media": ["serve", "worker"],
    }


def test_nine_services_have_each_others_urls() -> None:
    found = of_the_product("compose.split.yaml")
    assert list(found) == list(CONTEXTS)
    for name, service in found.items():
        environment = service["environment"]
        assert environment["SERVICES"] == name
        assert environment["DATABASE_URL"].endswith(f"/socialapp_{name}")
        assert f"//{name}:" in environment["DATABASE_URL"], "its own database user"
        for other in CONTEXTS:
            assert environment[f"{other.upper()}_URL"] == f"http://{other}:8001"
        assert name in environment["ALLOWED_HOSTS"].rpartition("}")[2].split(","), "other services call it by this name"
        assert ("JWT_PRIVATE_KEY" in environment) == (name == "auth"), "only auth signs"
    gateway = services("compose.split.yaml")["gateway"]["environment"]
    assert {gateway[f"{name.upper()}_UPSTREAM"] for name in CONTEXTS} == {f"{name}:8001" for name in CONTEXTS}


def test_every_context_has_a_database() -> None:
    assert f"for context in {' '.join(CONTEXTS)}; do" in text("database/databases.sh")


def test_the_first_start_generates_all_secrets_once(tmp_path: Path) -> None:
    """`docker/up` with a stub of docker that records its arguments."""
    folder = tmp_path / "docker"
    folder.mkdir()
    shutil.copy(FOLDER / "up", folder)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "bin" / "docker").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}

    def start(*arguments: str) -> str:
        command = [str(folder / "up"), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    assert start() == "compose --file compose.yaml up --build --detach --wait"
    made = (folder / ".env").read_text()
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    assert start("split", "--profile", "observability").startswith("compose --file compose.split.yaml --profile")
    assert (folder / ".env").read_text() == made
    values = dict(line.split("=", 1) for line in made.splitlines())
    needed = {found[0] for name in FILES for found in _VARIABLE.findall(text(name)) if found[1] == "?"}
    # Older installations have none for pushes.
    assert needed | {"VAPID_PRIVATE_KEY"} == values.keys()
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

    private = load_pem_private_key(values["JWT_PRIVATE_KEY"].strip("'").replace("\\n", "\n").encode(), None)
    public = load_pem_public_key(values["JWT_PUBLIC_KEY"].strip("'").replace("\\n", "\n").encode())
    assert private.public_key() == public
