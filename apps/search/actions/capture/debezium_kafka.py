"""Reads Debezium's change events from Kafka topics, `<prefix>.<database>.<table>`, one per table.

The offsets are saved with their effect, in search's own database: the consumer uses no group assignment and commits
nothing to Kafka. Names of settings: librdkafka's CONFIGURATION.md.
"""

from collections.abc import Iterator, Sequence
from threading import Event
from urllib.parse import parse_qsl, urlsplit

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from apps.search.actions.capture.debezium import captured_names, row_change
from apps.search.actions.capture.source import Batch, CaptureRefused, RowChange

_MAX_EVENTS = 500
_WAIT_SECONDS = 1.0
_ANSWER_SECONDS = 10.0

_Offsets = dict[str, dict[str, int]]  # by topic and partition: the next one to read


class KafkaSource:
    """See `Source`; a position is the next offset of each partition, as JSON."""

    def __init__(self, url: str, *, prefix: str) -> None:
        parts = urlsplit(url)
        self._settings: dict[str, str | int | float | bool] = {
            "bootstrap.servers": parts.netloc,
            **dict(parse_qsl(parts.query)),
            "group.id": f"{prefix}.search",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",  # do not skip what Kafka has deleted unread
        }
        self._topics = captured_names(prefix)
        self.name = f"debezium {prefix}"

    def check(self) -> None:
        """See `Source.check`: Kafka must answer and have the topics, which Debezium makes with their first event."""
        consumer = Consumer(self._settings)
        try:
            if not self._partitions(consumer):
                raise CaptureRefused(f"{self.name}: Kafka has none of the topics {', '.join(self._topics)}")
        finally:
            consumer.close()

    def start(self) -> str:
        """See `Source.start`: the beginning, as Debezium writes a snapshot of all rows there."""
        return "{}"

    def saved(self, position: str) -> None:
        """See `Source.saved`; nothing is remembered here."""

    def read(self, position: str, stopping: Event) -> Iterator[Batch]:
        """See `Source.read`."""
        reached: _Offsets = orjson.loads(position)
        consumer = Consumer(self._settings)
        try:
            assigned = 0
            messages: Sequence[Message] = []
            while not stopping.is_set():
                if not messages:
                    partitions = self._partitions(consumer)
                    if len(partitions) > assigned:  # a table had its first event, or a topic got more partitions
                        consumer.assign([_place(one, reached) for one in partitions])
                        assigned = len(partitions)
                messages = consumer.consume(_MAX_EVENTS, _WAIT_SECONDS)
                if messages:
                    changes = list(_changes(messages, reached))
                    yield Batch(changes, orjson.dumps(reached).decode())
        finally:
            consumer.close()

    def _partitions(self, consumer: Consumer) -> list[TopicPartition]:
        known = consumer.list_topics(timeout=_ANSWER_SECONDS).topics
        return [
            TopicPartition(topic, number)
            for topic in self._topics
            if topic in known and known[topic].error is None
            for number in sorted(known[topic].partitions)
        ]


def _place(partition: TopicPartition, reached: _Offsets) -> TopicPartition:
    offset = reached.get(partition.topic, {}).get(str(partition.partition), OFFSET_BEGINNING)
    return TopicPartition(partition.topic, partition.partition, offset)


def _changes(messages: Sequence[Message], reached: _Offsets) -> Iterator[RowChange]:
    """The changes in the messages; records in `reached` what was read."""
    for message in messages:
        error = message.error()
        if error is not None and error.code() == KafkaError._AUTO_OFFSET_RESET:
            raise CaptureRefused(
                "Kafka has deleted the next messages: start `manage.py search cdc --from-now`, then run"
                " `manage.py search reindex`"
            )
        if error is not None:
            raise KafkaException(error)
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        value = message.value()
        if change := row_change(value if isinstance(value, bytes) else b""):
            yield change
        if topic is not None and partition is not None and offset is not None:
            reached.setdefault(topic, {})[str(partition)] = offset + 1
