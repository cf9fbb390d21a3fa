"""The events as JSON Schemas and as an AsyncAPI document, made from their classes.

Sources: AsyncAPI 3.0, JSON Schema 2020-12.
"""

from typing import Any

import msgspec

from socialapp.contracts import registry  # noqa: F401  (imports every contract, which declares the events)
from socialapp.contracts.base import EVENTS, EventType

Schema = dict[str, Any]


def event_schema(event: EventType) -> Schema:
    """The schema of one event's `data`, self-contained."""
    (schema,), components = msgspec.json.schema_components([event.cls], ref_template="#/$defs/{name}")
    definitions: dict[str, Any] = dict(components)
    own = definitions.pop(event.cls.__name__, schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"/schemas/events/{event.name}.json",
        **own,
        **({"$defs": definitions} if definitions else {}),
    }


def asyncapi() -> Schema:
    """All events: one channel for each type, published by its context."""
    names = sorted(EVENTS)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "socialapp events",
            "version": "1",
            "description": "CloudEvents 1.0 envelopes on the topic exchange socialapp.events; routing key = type. With"
            " Kafka on the topic events.<producer>, a message each; key = partitionkey.",
        },
        "channels": {name: {"address": name, "messages": {"event": _message(EVENTS[name])}} for name in names},
        "operations": {
            f"publish {name}": {"action": "send", "channel": {"$ref": f"#/channels/{name}"}} for name in names
        },
    }


def _message(event: EventType) -> Schema:
    return {
        "name": event.name,
        "summary": (event.cls.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "payload": {
            "type": "object",
            "required": ["id", "source", "type", "subject", "time", "data"],
            "properties": {
                "id": {"type": "integer"},
                "source": {"const": f"/{event.producer}"},
                "type": {"const": event.name},
                "subject": {"type": "string", "description": f"{event.subject} as text"},
                "time": {"type": "string", "format": "date-time"},
                "partitionkey": {"type": "string", "description": f"{event.partition} as text"},
                "data": event_schema(event),
            },
        },
    }
