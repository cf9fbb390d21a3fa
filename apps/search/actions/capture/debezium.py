"""Reads Debezium's change events from Redis streams, for deployments that run Debezium anyway.

Debezium Server's Redis sink writes one stream for each table, `<prefix>.<database>.<table>`. Both of its formats are
understood: `compact` (one field: the key, with the value) and `extended` (fields `key` and `value`), with and without
the schema in the JSON (recorded from Debezium Server 3.6.1: tests/search/debezium). Debezium delivers at least once,
which is enough, as the present rows are asked for anyway.
Source: https://debezium.io/documentation/reference/stable/operations/debezium-server.html#_redis_stream
"""

from collections.abc import Iterator, Mapping
from threading import Event
from typing import Any, cast

import orjson
import redis
from django.conf import settings

from apps.search.actions.capture.source import CAPTURED, Batch, CaptureRefused, RowChange

_MAX_EVENTS = 500
_BLOCK_MILLISECONDS = 1000
_OPERATIONS = ("c", "u", "d", "r")


def row_change(value: bytes) -> RowChange | None:
    """The change in Debezium's envelope; None for other messages, such as the tombstone after a deletion.

    CaptureRefused if the envelope lacks the row before a deletion.
    """
    if not value or value == b"default":  # how the sink writes a tombstone
        return None
    envelope = orjson.loads(value)
    payload = envelope.get("payload", envelope) if isinstance(envelope, dict) else None
    if not isinstance(payload, dict) or payload.get("op") not in _OPERATIONS:
        return None
    before, after = payload.get("before"), payload.get("after")
    if payload["op"] == "d" and not before:
        raise CaptureRefused("a deletion came without the row before it: the server's binlog_row_image must be FULL")
    return RowChange(payload["source"]["table"], before, after)


def captured_names(prefix: str) -> list[str]:
    """Debezium's names for the streams or topics of the captured tables: `<topic.prefix>.<database>.<table>`."""
    return [
        f"{prefix}.{settings.DATABASES[context]['NAME']}.{table}"
        for context, tables in CAPTURED.items()
        for table in tables
    ]


class RedisSource:
    """See `Source`; a position is the last id read of each stream, as JSON."""

    def __init__(self, url: str, *, prefix: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=_BLOCK_MILLISECONDS / 1000 + 5)
        self._streams = captured_names(prefix)
        self.name = f"debezium {prefix}"

    def check(self) -> None:
        """See `Source.check`: Redis must answer."""
        self._client.ping()

    def start(self) -> str:
        """See `Source.start`: the beginning, as Debezium writes a snapshot of all rows there."""
        return orjson.dumps(dict.fromkeys(self._streams, "0-0")).decode()

    def saved(self, position: str) -> None:
        """See `Source.saved`; nothing is remembered here."""

    def read(self, position: str, stopping: Event) -> Iterator[Batch]:
        """See `Source.read`."""
        reached: dict[str, str] = {**dict.fromkeys(self._streams, "0-0"), **orjson.loads(position)}
        while not stopping.is_set():
            found: Any = self._client.xread(cast(Any, reached), count=_MAX_EVENTS, block=_BLOCK_MILLISECONDS)
            changes: list[RowChange] = []
            for stream, entries in found:
                for entry_id, fields in entries:
                    reached[stream.decode()] = entry_id.decode()
                    if change := row_change(_value(fields)):
                        changes.append(change)
            if found:
                yield Batch(changes, orjson.dumps(reached).decode())


def _value(fields: Mapping[bytes, bytes]) -> bytes:
    return fields[b"value"] if b"value" in fields else next(iter(fields.values()), b"")
