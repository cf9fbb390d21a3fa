"""The schemas in docs/ match the code, and no event or call changes incompatibly."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml
from django.core.management import CommandError, call_command

from socialapp.contracts.base import EVENTS, data, event, read, write
from socialapp.core.contexts import CONTEXTS
from socialapp.messaging.asyncapi import Schema, event_schema
from socialapp.messaging.registry import events_of
from socialapp.ops.contract_schemas import broken, call_schema, contract_schemas
from tests.conftest import ALL_CONTEXTS

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "docs" / "schemas"
# Published for future consumers: today's contexts call the publisher instead of copying its data.
WITHOUT_HANDLER = {
    "auth.roles_changed.v1", "auth.user_verified.v1", "moderation.report_filed.v1", "users.muted.v1",
    "users.unblocked.v1", "users.unmuted.v1",
}  # fmt: skip


def own_events() -> list[str]:
    """The product's events, without those declared by tests."""
    return sorted(name for name, declared in EVENTS.items() if declared.cls.__module__.startswith("socialapp."))


def own_schemas() -> dict[str, Schema]:
    """The product's schemas, without those declared by tests."""
    own = own_events()
    return {
        name: made
        for name, made in contract_schemas().items()
        if Path(name).parent.name == "calls" or Path(name).stem in own
    }


@pytest.mark.parametrize("name", own_schemas())
def test_every_schema_is_published_and_compatible(name: str) -> None:
    published = PUBLISHED / name
    assert published.exists(), "a new event or contract: run manage.py schemas"
    kept, made = json.loads(published.read_text()), own_schemas()[name]
    assert broken(kept, new=made) == [], "docs/adding.md explains how to change contracts"
    assert kept == made, f"docs/schemas/{name} is out of date: run manage.py schemas"


def test_no_published_event_or_contract_is_missing() -> None:
    assert sorted(str(path.relative_to(PUBLISHED)) for path in PUBLISHED.glob("*/*.json")) == sorted(own_schemas())


def test_every_event_fits_its_schema() -> None:
    for name in own_events():
        schema = event_schema(EVENTS[name])
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_event_has_a_handler() -> None:
    handled = {name for context in CONTEXTS for name in events_of(context)}
    assert set(own_events()) - handled == WITHOUT_HANDLER


def test_an_incompatible_event_is_detected() -> None:
    old: dict[str, Any] = {"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["a", "b"]}
    new = {"properties": {"a": {"type": "string"}, "c": {"type": "string"}}, "required": ["c"]}
    assert broken(old, new=new) == [
        "b is gone", "a changed its type", "c became required", "a is no longer sent for sure"
    ]  # fmt: skip
    assert broken(old, new={**old, "properties": {**old["properties"], "c": {"type": "string", "default": ""}}}) == []


Method = Callable[..., Any]


@data
class Lamp:
    """A lamp as published."""

    id: int
    color: str


@data
class BrighterLamp:
    """A lamp with a new field that has a default."""

    id: int
    color: str
    watts: int = 5


@data
class DarkLamp:
    """A lamp without its color."""

    id: int


def schema_of(lamp: type, *methods: Method) -> Schema:
    """The schema of a contract with these methods, in which `lamp` is called Lamp."""
    made = call_schema(type("Lamps", (), {method.__name__: method for method in methods}))
    return dict(json.loads(json.dumps(made).replace(lamp.__name__, "Lamp")))


def lamps(lamp: Any) -> Method:
    @read
    def lamps(self: Any, *, ids: list[int]) -> list[lamp]: ...  # type: ignore[empty-body]

    return lamps


@write
def light(self: Any, *, id: int) -> None: ...


def _light_read(self: Any, *, id: int) -> None: ...
def _light_brightly(self: Any, *, id: int, watts: int) -> None: ...
def _light_more(self: Any, *, id: int, watts: int = 5) -> None: ...
def _light_all(self: Any) -> None: ...
def _light_and_tell(self: Any, *, id: int) -> bool: ...  # type: ignore[empty-body]
def _put_out(self: Any, *, id: int) -> None: ...


def as_light(method: Method, kind: Callable[[Any], Method] = write) -> Method:
    """The method, as a replacement of `light`."""
    method.__name__ = "light"
    return kind(method)


@pytest.mark.parametrize(
    ("new", "faults"),
    [
        (schema_of(BrighterLamp, lamps(BrighterLamp), light), []),
        (schema_of(Lamp, lamps(Lamp), light, write(_put_out)), []),
        (schema_of(Lamp, lamps(Lamp), as_light(_light_more)), []),
        (schema_of(DarkLamp, lamps(DarkLamp), light), ["Lamp.color is gone"]),
        (schema_of(Lamp, light), ["lamps() is gone"]),
        (schema_of(Lamp, lamps(Lamp), as_light(_light_read, read)), ["light() kind changed"]),
        (schema_of(Lamp, lamps(Lamp), as_light(_light_brightly)), ["light() watts became required"]),
        (schema_of(Lamp, lamps(Lamp), as_light(_light_all)), ["light() id is gone"]),
        (schema_of(Lamp, lamps(Lamp), as_light(_light_and_tell)), ["light() answer changed"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) and value else "",
)
def test_incompatible_calls_are_detected_and_additions_are_allowed(new: Schema, faults: list[str]) -> None:
    assert broken(schema_of(Lamp, lamps(Lamp), light), new=new) == faults


def test_a_breaking_schema_is_not_written(tmp_path: Path) -> None:
    published = tmp_path / "schemas" / "calls" / "Users.json"
    shutil.copytree(PUBLISHED, tmp_path / "schemas")
    schema = json.loads(published.read_text())
    schema["methods"]["befriend"] = schema["methods"]["hide"]
    published.write_text(json.dumps(schema))
    (tmp_path / "schemas" / "calls" / "Friends.json").write_text("{}")
    with pytest.raises(CommandError) as refused:
        call_command("schemas", into=tmp_path)
    assert str(refused.value).splitlines()[1:] == [
        "calls/Friends.json: is gone",
        "calls/Users.json: befriend() is gone",
    ]
    assert json.loads(published.read_text()) == schema


def test_an_event_of_an_older_producer_is_decoded() -> None:
    @event("metrics.lamp_lit", subject="lamp_id")
    class LampLit:
        """A field that was added later has a default."""

        lamp_id: int
        color: str = "white"

    assert msgspec.convert({"lamp_id": 1}, LampLit) == LampLit(lamp_id=1, color="white")
    assert msgspec.convert({"lamp_id": 1, "color": "red", "later": 2}, LampLit) == LampLit(lamp_id=1, color="red")
    EVENTS.pop("metrics.lamp_lit.v1")


@pytest.mark.django_db(databases=ALL_CONTEXTS)
def test_the_documents_match_the_code(tmp_path: Path) -> None:
    call_command("schemas", into=tmp_path)
    for name in ("openapi.yaml", "asyncapi-events.yaml"):
        made, kept = ((folder / name).read_text() for folder in (tmp_path, ROOT / "docs"))
        if name == "asyncapi-events.yaml":
            made, kept = (_without_tests(text) for text in (made, kept))
        assert made == kept, f"docs/{name} is out of date: run manage.py schemas"


def test_every_object_and_no_list_has_an_etag() -> None:
    paths = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())["paths"]
    documenting = {path for path, methods in paths.items() if "304" in methods.get("get", {}).get("responses", {})}
    shown = {
        path: paths[path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        for path in documenting
    }
    assert {path for path, methods in paths.items() if "get" in methods and path.endswith("}")} <= shown.keys()
    assert [path for path, body in shown.items() if body.endswith("Page")] == []


def test_idempotency_keys_are_accepted_by_every_creating_post() -> None:
    paths = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())["paths"]
    named = {
        path: {parameter["name"] for parameter in methods["post"].get("parameters", [])}
        for path, methods in paths.items()
        if "post" in methods
    }
    assert {path for path, names in named.items() if "Idempotency-Key" in names} == {
        "/v1/appeals",
        "/v1/auth/me/export",
        "/v1/auth/passkeys",
        "/v1/auth/register",
        "/v1/auth/totp",
        "/v1/follow-requests/{user_id}/accept",
        "/v1/follow-requests/{user_id}/reject",
        "/v1/media",
        "/v1/media/uploads",
        "/v1/posts",
        "/v1/posts/{post_id}/comments",
        "/v1/push-subscriptions",
        "/v1/reports",
    }


def test_undoing_an_activity_returns_the_new_state() -> None:
    paths = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())["paths"]
    shown = {path for path, methods in paths.items() if "200" in methods.get("delete", {}).get("responses", {})}
    taken_back = ("/follow", "/block", "/mute", "/bookmark", "/repost", "/reaction")
    assert shown == {path for path in paths if path.endswith(taken_back)}


def _without_tests(text: str) -> str:
    document = yaml.safe_load(text)
    own = set(own_events())
    document["channels"] = {name: channel for name, channel in document["channels"].items() if name in own}
    document["operations"] = {name: entry for name, entry in document["operations"].items() if name.split()[1] in own}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
