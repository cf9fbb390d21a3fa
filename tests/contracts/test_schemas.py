"""The schemas in docs/ are those of the code, and no event changes in a way that breaks who listens."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml
from django.core.management import call_command

from socialapp.bus.asyncapi import event_schema
from socialapp.bus.registry import events_of
from socialapp.contexts import CONTEXTS
from socialapp.contracts.base import EVENTS, event
from tests.conftest import ALL_CONTEXTS

ROOT = Path(__file__).resolve().parents[2]
PROMISED = ROOT / "docs" / "schemas" / "events"
# Told for who comes later: what they change is asked for, not copied.
HEARD_BY_NOBODY = {
    "auth.roles_changed.v1", "auth.user_verified.v1", "moderation.report_filed.v1", "users.muted.v1",
    "users.unblocked.v1", "users.unmuted.v1",
}  # fmt: skip


def own_events() -> list[str]:
    """The events of the product, without those that tests declare."""
    return sorted(name for name, declared in EVENTS.items() if declared.cls.__module__.startswith("socialapp."))


def breaking_changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What an old producer's or listener's idea of an event would stumble over in the new one."""
    was, now = old.get("properties", {}), new.get("properties", {})
    found = [f"{name} is gone" for name in was if name not in now]
    found += [f"{name} changed its type" for name in was if name in now and was[name] != now[name]]
    found += [f"{name} became required" for name in new.get("required", []) if name not in old.get("required", [])]
    found += [f"{name} is no longer sent for sure" for name in old.get("required", []) if name not in new["required"]]
    return found


@pytest.mark.parametrize("name", own_events())
def test_a_promised_event_is_kept(name: str) -> None:
    promised = PROMISED / f"{name}.json"
    assert promised.exists(), "a new event: run manage.py schemas"
    assert breaking_changes(json.loads(promised.read_text()), event_schema(EVENTS[name])) == []


def test_no_promised_event_is_gone() -> None:
    assert sorted(path.stem for path in PROMISED.glob("*.json")) == own_events()


def test_every_event_fits_its_schema() -> None:
    for name in own_events():
        schema = event_schema(EVENTS[name])
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_event_has_a_listener() -> None:
    heard = {name for context in CONTEXTS for name in events_of(context)}
    assert set(own_events()) - heard == HEARD_BY_NOBODY


def test_a_planted_break_is_caught() -> None:
    old = {"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["a", "b"]}
    new = {"properties": {"a": {"type": "string"}, "c": {"type": "string"}}, "required": ["a", "c"]}
    assert breaking_changes(old, new) == [
        "b is gone", "a changed its type", "c became required", "b is no longer sent for sure"
    ]  # fmt: skip


def test_an_event_from_an_older_producer_is_understood() -> None:
    @event("metrics.lamp_lit", subject="lamp_id")
    class LampLit:
        """A field that came later has a default."""

        lamp_id: int
        colour: str = "white"

    assert msgspec.convert({"lamp_id": 1}, LampLit) == LampLit(lamp_id=1, colour="white")
    assert msgspec.convert({"lamp_id": 1, "colour": "red", "later": 2}, LampLit) == LampLit(lamp_id=1, colour="red")
    EVENTS.pop("metrics.lamp_lit.v1")


@pytest.mark.django_db(databases=ALL_CONTEXTS)
def test_the_documents_are_those_of_the_code(tmp_path: Path) -> None:
    call_command("schemas", into=tmp_path)
    for name in ("openapi.yaml", "asyncapi-events.yaml"):
        made, kept = ((folder / name).read_text() for folder in (tmp_path, ROOT / "docs"))
        if name == "asyncapi-events.yaml":
            made, kept = (_without_tests(text) for text in (made, kept))
        assert made == kept, f"docs/{name} is out of date: run manage.py schemas"


def test_only_routes_that_show_one_object_promise_an_etag() -> None:
    paths = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())["paths"]
    promising = {path for path, methods in paths.items() if "304" in methods.get("get", {}).get("responses", {})}
    shown = {
        path: paths[path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        for path in promising
    }
    assert "/v1/posts/{post_id}" in shown
    assert [path for path, body in shown.items() if body.endswith("Page")] == []


def test_keys_are_taken_by_every_post_that_creates() -> None:
    paths = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())["paths"]
    named = {
        path: {parameter["name"] for parameter in methods["post"].get("parameters", [])}
        for path, methods in paths.items()
        if "post" in methods
    }
    assert {path for path, names in named.items() if "Idempotency-Key" in names} == {
        "/v1/appeals",
        "/v1/auth/me/export",
        "/v1/auth/register",
        "/v1/auth/totp",
        "/v1/follow-requests/{user_id}/accept",
        "/v1/follow-requests/{user_id}/reject",
        "/v1/posts",
        "/v1/posts/{post_id}/comments",
        "/v1/push-subscriptions",
        "/v1/reports",
    }


def test_taking_back_shows_what_is_left() -> None:
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
