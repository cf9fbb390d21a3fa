"""Every operation of the API, from its schema: the generated tests of this folder iterate over them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    is_public: bool
    spec: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name in tables and failures."""
        return f"{self.method} {self.path}"

    def properties_of(self, status: str) -> dict[str, Any]:
        """The properties of the JSON object in its response."""
        content = self.spec["responses"].get(status, {}).get("content", {})
        schema = resolved(content.get("application/json", {}).get("schema", {}))
        return dict(schema.get("properties", {}))

    def body_schema(self) -> dict[str, Any]:
        """The schema of the JSON object in its request; empty if there is none."""
        content = self.spec.get("requestBody", {}).get("content", {})
        return resolved(content.get("application/json", {}).get("schema", {}))


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document of this process."""
    generated: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return generated


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, in place of a reference to it."""
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def operations() -> Iterator[Operation]:
    """All operations, in the order of the schema."""
    for path, methods in document()["paths"].items():
        for method, spec in methods.items():
            yield Operation(method.upper(), path, {} in spec.get("security", [{}]), spec)


def list_paths() -> list[str]:
    """The paths of lists that have pages."""
    return [
        operation.path
        for operation in operations()
        if operation.method == "GET"
        and "results" in operation.properties_of("200")
        and "cursor" in {parameter["name"] for parameter in operation.spec.get("parameters", [])}
    ]
