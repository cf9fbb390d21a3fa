"""The envelope of an event. Source: CloudEvents 1.0 and its partitioning, sequence, tracing extensions."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import structlog

from socialapp.contracts.base import EVENTS, event_type

log = structlog.get_logger()

# Of an envelope's JSON: in UTF-8 that is less than the million bytes which Kafka takes, and its clients, by default.
MAX_CHARACTERS = 200_000

Data = dict[str, Any]


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event in transit. `data` has the fields of the event class of `type`."""

    id: int
    source: str
    type: str
    subject: str
    time: datetime
    partitionkey: str
    sequence: int
    data: Data
    dataschema: str = ""
    correlationid: str = ""
    causationid: str = ""
    traceparent: str = ""
    specversion: str = "1.0"

    def event(self) -> Any:
        """The event as an instance of its class; msgspec.ValidationError if the data does not fit."""
        return msgspec.convert(self.data, EVENTS[self.type].cls)


def wrap(event: object, *, event_id: int) -> Envelope:
    """The envelope of a new event, with the request, cause and trace of the running code."""
    declared = event_type(type(event))
    bound = structlog.contextvars.get_contextvars()
    return Envelope(
        id=event_id,
        source=f"/{declared.producer}",
        type=declared.name,
        subject=str(getattr(event, declared.subject)),
        time=datetime.now(UTC),
        partitionkey=str(getattr(event, declared.partition)),
        sequence=event_id,
        data=cast(Data, msgspec.to_builtins(event)),
        dataschema=f"/schemas/events/{declared.name}.json",
        correlationid=str(bound.get("request_id", "")),
        causationid=str(bound.get("event_id", "")),
        traceparent=str(bound.get("traceparent", "")),
    )


def encode(envelope: Envelope) -> str:
    """The envelope as JSON text."""
    return msgspec.json.encode(envelope).decode()


_decoder = msgspec.json.Decoder(Envelope)


def decode(text: str | bytes) -> Envelope:
    """The envelope in a JSON text."""
    return _decoder.decode(text)


def readable(texts: Iterable[str | bytes]) -> Iterator[Envelope]:
    """The envelopes, skipping unreadable ones, which would block their whole batch."""
    for text in texts:
        try:
            yield decode(text)
        except msgspec.DecodeError as error:
            log.error("bus.unreadable", error=str(error), envelope=text[:200])
