"""The contracts between contexts, their events and calls, as JSON Schemas, and the changes that would break them.

During a rollout, and between services that are released separately, old code exchanges messages with new code: each
must understand the other. docs/schemas holds the published schemas.
"""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, get_type_hints

import msgspec

from socialapp.contracts.base import EVENTS
from socialapp.contracts.registry import CONTRACTS
from socialapp.messaging.asyncapi import Schema, event_schema

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def contract_schemas() -> dict[str, Schema]:
    """Every event and every contract in the code, by the name of its file in docs/schemas."""
    events = {f"events/{name}.json": event_schema(event) for name, event in sorted(EVENTS.items())}
    calls = {f"calls/{name}.json": call_schema(contract) for name, contract in sorted(CONTRACTS.items())}
    return {**events, **calls}


def call_schema(contract: type) -> Schema:
    """The methods of a contract: how each is called, its arguments and its result."""
    methods = {name: method for name, method in vars(contract).items() if hasattr(method, "__call_kind__")}
    types = [get_type_hints(method)[name] for method in methods.values() for name in (*_parameters(method), "return")]
    # An `object` stands for any of the public API's objects, which docs/openapi.yaml describes.
    schemas, definitions = msgspec.json.schema_components(
        types, ref_template="#/$defs/{name}", schema_hook=lambda kind: {"description": "any value"}
    )
    found = iter(schemas)
    return {
        "$schema": _DIALECT,
        "$id": f"/schemas/calls/{contract.__name__}.json",
        "title": contract.__name__,
        "methods": {name: _method_schema(method, found) for name, method in methods.items()},
        "$defs": dict(definitions),
    }


def _parameters(method: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    return {name: parameter for name, parameter in inspect.signature(method).parameters.items() if name != "self"}


def _method_schema(method: Any, schemas: Iterator[Schema]) -> Schema:
    """Takes the schemas of its arguments and its result from `schemas`, in this order."""
    parameters = _parameters(method)
    return {
        "kind": method.__call_kind__,
        "arguments": {
            "type": "object",
            "properties": {name: next(schemas) for name in parameters},
            "required": [name for name, parameter in parameters.items() if parameter.default is parameter.empty],
        },
        "answer": next(schemas),
    }


def broken(old: Schema, *, new: Schema) -> list[str]:
    """What breaks between an old and a new schema, in either direction; [] if they are compatible.

    Added events and methods, and added fields and arguments with a default, break nothing.
    """
    found = _broken_object(old, new, "")
    for name, definition in old.get("$defs", {}).items():
        if name in new.get("$defs", {}):
            found += _broken_object(definition, new["$defs"][name], f"{name}.")
    for name, method in old.get("methods", {}).items():
        found += _broken_method(method, new["methods"].get(name), name)
    return found


def _broken_method(old: Schema, new: Schema | None, name: str) -> list[str]:
    if new is None:
        return [f"{name}() is gone"]
    found = [f"{name}() {part} changed" for part in ("kind", "answer") if old[part] != new[part]]
    return [*found, *_broken_object(old["arguments"], new["arguments"], f"{name}() ")]


def _broken_object(old: Schema, new: Schema, where: str) -> list[str]:
    was, now = old.get("properties", {}), new.get("properties", {})
    needed, needs = old.get("required", []), new.get("required", [])
    return [
        *(f"{where}{name} is gone" for name in was if name not in now),
        *(f"{where}{name} changed its type" for name in was if name in now and was[name] != now[name]),
        *(f"{where}{name} became required" for name in needs if name not in needed),
        *(f"{where}{name} is no longer sent for sure" for name in needed if name in now and name not in needs),
    ]
