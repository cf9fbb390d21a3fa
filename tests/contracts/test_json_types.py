"""Each field of a request accepts only the JSON type in the schema; values are not converted."""

from collections.abc import Iterator
from typing import Any

from django.urls import get_resolver
from rest_framework import serializers

from socialapp.http.fields import Input

SAMPLES: dict[str, list[Any]] = {
    "string": ["1", "true", "like", "a@example.org", "2026-11-28T00:00:00Z"],
    "number": [0, 1, 5, 5.5],
    "boolean": [True, False],
    "array": [[], ["1"]],
    "object": [{}, {"a": "b"}],
}


def test_every_field_of_a_request_accepts_one_json_type() -> None:
    assert get_resolver().url_patterns  # imports all serializers
    taken = {name: _types_taken(field) for name, field in _fields_of_requests()}
    assert taken["NewUpload.size"] == {"number"}
    assert {name: types for name, types in taken.items() if len(types) > 1} == {}


def _fields_of_requests(parent: type[Input] = Input) -> Iterator[tuple[str, serializers.Field[Any, Any, Any, Any]]]:
    for kind in parent.__subclasses__():
        yield from _leaves(kind.__name__, kind())
        yield from _fields_of_requests(kind)


def _leaves(name: str, field: Any) -> Iterator[tuple[str, serializers.Field[Any, Any, Any, Any]]]:
    yield name, field
    if isinstance(field, serializers.ListField):
        yield from _leaves(f"{name}[]", field.child)
    elif isinstance(field, serializers.Serializer):
        for inner_name, inner in field.fields.items():
            yield from _leaves(f"{name}.{inner_name}", inner)


def _types_taken(field: serializers.Field[Any, Any, Any, Any]) -> set[str]:
    return {name for name, values in SAMPLES.items() if any(_takes(field, value) for value in values)}


def _takes(field: serializers.Field[Any, Any, Any, Any], value: Any) -> bool:
    try:
        field.run_validation(value)
    except serializers.ValidationError:
        return False
    return True
