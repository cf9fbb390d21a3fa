"""The bus: state and event are atomic, each effect happens once, poison events are isolated, the broker may lose
all.
"""

import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import structlog
from django.db import transaction
from django.utils import timezone

from socialapp.contracts.base import EVENTS, event
from socialapp.core.db import atomic
from socialapp.core.errors import Unavailable
from socialapp.core.ids import first_id_at
from socialapp.core.sql import instances
from socialapp.messaging import registry
from socialapp.messaging.delivery import OUTAGE_PAUSES, RETRY_PAUSES, caused_by, deliver
from socialapp.messaging.envelope import Envelope, decode, encode
from socialapp.messaging.models import FailedDelivery, InboxEntry, OutboxEvent
from socialapp.messaging.publish import EventTooLarge, PublishOutsideTransaction, publish
from socialapp.messaging.reconcile import prune, reconcile
from socialapp.messaging.registry import Handler
from socialapp.messaging.relay import CLAIM_BATCH, relay_once, send_due_retries
from socialapp.messaging.transports.port import BATCH_EVENTS
from socialapp.telemetry.metrics import exposition
from tests.conftest import ALL_CONTEXTS

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PRODUCER, CONSUMER = "metrics", "moderation"


@event("metrics.bell_rung", subject="bell_id")
class BellRung:
    """An event type that only these tests use."""

    bell_id: int


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A handler on CONSUMER that records the bells it handled, and fails for negative ones."""
    handled: list[int] = []

    def handle(bell: BellRung) -> None:
        handled.append(bell.bell_id)
        if bell.bell_id < 0:
            raise ValueError("cracked bell")

    key = (CONSUMER, EVENTS["metrics.bell_rung.v1"].name)
    monkeypatch.setitem(registry._handlers, key, [Handler(f"{CONSUMER}.handle", CONSUMER, key[1], handle, None)])
    return handled


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """The messages that the relay handed to the broker."""
    sent: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(
        "socialapp.messaging.transports.port.publish_batch", lambda kind, envelopes: sent.append((kind, envelopes))
    )
    return sent


def ring(*bells: int) -> list[Envelope]:
    """Publishes bells in one transaction; returns their envelopes."""
    with atomic(PRODUCER):
        publish(*(BellRung(bell_id=bell) for bell in bells))
    rows = OutboxEvent.objects.using(PRODUCER).filter(type="metrics.bell_rung.v1").order_by("-id")[: len(bells)]
    return [decode(row.envelope) for row in reversed(rows)]


def test_publishing_requires_the_transaction_of_the_producer() -> None:
    with pytest.raises(PublishOutsideTransaction):
        publish(BellRung(bell_id=1))
    with atomic(CONSUMER), pytest.raises(PublishOutsideTransaction):
        publish(BellRung(bell_id=1))
    assert not OutboxEvent.objects.using(PRODUCER).exists()


def test_an_event_is_rolled_back_with_its_transaction() -> None:
    def fail_after_publishing() -> None:
        with atomic(PRODUCER):
            publish(BellRung(bell_id=1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_publishing()
    assert not OutboxEvent.objects.using(PRODUCER).exists()


def test_an_event_too_large_for_a_broker_is_refused_and_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socialapp.messaging.publish.MAX_CHARACTERS", 400)
    with pytest.raises(EventTooLarge, match="bell_rung"), atomic(PRODUCER):
        publish(*(BellRung(bell_id=bell) for bell in (1, 10**100)))
    assert not OutboxEvent.objects.using(PRODUCER).exists()
    ring(1)
    assert OutboxEvent.objects.using(PRODUCER).count() == 1


def test_an_envelope_has_the_attributes_of_cloudevents() -> None:
    (envelope,) = ring(7)
    assert (envelope.type, envelope.source, envelope.subject) == ("metrics.bell_rung.v1", "/metrics", "7")
    assert envelope.specversion == "1.0"
    assert envelope.event() == BellRung(bell_id=7)


def test_shuffled_and_duplicate_events_take_effect_once(rung: list[int]) -> None:
    envelopes = ring(*range(1, 51)) * 3
    random.Random(1).shuffle(envelopes)
    for start in range(0, len(envelopes), 7):
        deliver(CONSUMER, envelopes=envelopes[start : start + 7])
    assert sorted(rung) == list(range(1, 51))
    assert InboxEntry.objects.using(CONSUMER).count() == 50


def test_a_poison_event_is_isolated_and_its_neighbours_are_delivered(rung: list[int]) -> None:
    deliver(CONSUMER, envelopes=ring(1, -2, 3))
    assert set(InboxEntry.objects.using(CONSUMER).values_list("event_id", flat=True)).isdisjoint(
        FailedDelivery.objects.using(CONSUMER).values_list("event_id", flat=True)
    )
    assert InboxEntry.objects.using(CONSUMER).count() == 2
    failure = FailedDelivery.objects.using(CONSUMER).get()
    assert (failure.subject, failure.attempts, failure.dead) == ("-2", 1, False)
    assert "cracked bell" in failure.error


def test_retry_delays_grow_until_the_event_is_a_dead_letter(rung: list[int]) -> None:
    (envelope,) = ring(-1)
    pauses = []
    for _ in range(len(RETRY_PAUSES) + 1):
        before = timezone.now()
        deliver(CONSUMER, envelopes=[envelope])
        failure = FailedDelivery.objects.using(CONSUMER).get()
        pauses.append(round((failure.retry_at - before).total_seconds()))
    assert tuple(pauses[:-1]) == RETRY_PAUSES
    assert failure.dead


def test_during_an_outage_retries_stay_frequent_and_make_no_dead_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    fault: list[Exception] = [Unavailable("gone for the night")]

    def fail(_: BellRung) -> None:
        raise fault[0]

    key = (CONSUMER, "metrics.bell_rung.v1")
    monkeypatch.setitem(registry._handlers, key, [Handler(f"{CONSUMER}.handle", CONSUMER, key[1], fail, None)])
    (envelope,) = ring(1)
    pauses = []
    for _ in range(20):
        before = timezone.now()
        deliver(CONSUMER, envelopes=[envelope])
        failure = FailedDelivery.objects.using(CONSUMER).get()
        pauses.append(round((failure.retry_at - before).total_seconds()))
    assert pauses == [*OUTAGE_PAUSES, *[OUTAGE_PAUSES[-1]] * 17]
    assert not failure.dead
    fault[0] = ValueError("cracked bell")
    for _ in range(len(RETRY_PAUSES) + 1 - len(OUTAGE_PAUSES)):
        failure.refresh_from_db()
        assert not failure.dead
        deliver(CONSUMER, envelopes=[envelope])
    failure.refresh_from_db()
    assert failure.dead, "an event that fails without an outage becomes a dead letter"


def test_metrics_include_the_size_and_age_of_every_backlog(
    rung: list[int], broker: list[tuple[str, list[str]]]
) -> None:
    def gauge(name: str, context: str) -> float:
        start = f'socialapp_{name}{{context="{context}"}} '
        (line,) = [line for line in exposition().decode().splitlines() if line.startswith(start)]
        return float(line.removeprefix(start))

    (envelope,) = ring(-1)
    ring(1)
    OutboxEvent.objects.using(PRODUCER).update(created_at=timezone.now() - timedelta(seconds=70))
    assert (gauge("outbox_unsent", PRODUCER), gauge("outbox_unconfirmed", PRODUCER)) == (2, 0)
    assert 70 <= gauge("outbox_lag_seconds", PRODUCER) < 700
    relay_once(PRODUCER)
    assert (gauge("outbox_unsent", PRODUCER), gauge("outbox_unconfirmed", PRODUCER)) == (0, 2)
    assert gauge("outbox_lag_seconds", PRODUCER) == 0
    assert 70 <= gauge("outbox_unconfirmed_seconds", PRODUCER) < 700
    old = msgspec.structs.replace(envelope, id=first_id_at(timezone.now() - timedelta(seconds=50)))
    for tries in range(len(RETRY_PAUSES)):
        deliver(CONSUMER, envelopes=[old])
        assert (gauge("deliveries_failing", CONSUMER), gauge("dead_letters", CONSUMER)) == (1, 0), tries
    assert 50 <= gauge("deliveries_failing_seconds", CONSUMER) < 500
    deliver(CONSUMER, envelopes=[old])
    assert (gauge("deliveries_failing", CONSUMER), gauge("dead_letters", CONSUMER)) == (0, 1)
    assert gauge("deliveries_failing_seconds", CONSUMER) == 0


def test_a_replayed_dead_letter_is_no_longer_recorded_as_failed(
    rung: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    (envelope,) = ring(-5)
    deliver(CONSUMER, envelopes=[envelope])
    handlers = registry._handlers[(CONSUMER, "metrics.bell_rung.v1")]
    monkeypatch.setitem(
        registry._handlers,
        (CONSUMER, "metrics.bell_rung.v1"),
        [Handler(handlers[0].name, CONSUMER, handlers[0].event, lambda bell: rung.append(100), None)],
    )
    deliver(CONSUMER, envelopes=[envelope])
    deliver(CONSUMER, envelopes=[envelope])
    assert rung.count(100) == 1
    assert not FailedDelivery.objects.using(CONSUMER).exists()


def test_a_retry_that_succeeds_is_no_longer_recorded_as_failed(rung: list[int]) -> None:
    from socialapp.messaging.tasks import deliver_batch

    (envelope,) = ring(1)
    FailedDelivery.objects.using(CONSUMER).create(
        event_id=envelope.id, handler=f"{CONSUMER}.handle", subject="1", error="", retry_at=timezone.now()
    )
    deliver_batch([encode(envelope)], CONSUMER)
    assert rung == [1]
    assert not FailedDelivery.objects.using(CONSUMER).exists()


def test_a_failure_recorded_after_success_is_removed_at_the_next_delivery(rung: list[int]) -> None:
    """Two workers had the event at once: one failed, and recorded it after the other had looked for failures."""
    (envelope,) = ring(1)
    deliver(CONSUMER, envelopes=[envelope])
    FailedDelivery.objects.using(CONSUMER).create(
        event_id=envelope.id, handler=f"{CONSUMER}.handle", subject="1", error="", retry_at=timezone.now()
    )
    deliver(CONSUMER, envelopes=[envelope])
    assert rung == [1]
    assert not FailedDelivery.objects.using(CONSUMER).exists()


def test_due_retries_are_sent_to_their_consumer_only(rung: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr("socialapp.messaging.relay.deliver_again", lambda context, envelope: sent.append(context))
    deliver(CONSUMER, envelopes=ring(-1))
    assert send_due_retries(CONSUMER) == 0
    FailedDelivery.objects.using(CONSUMER).update(retry_at=timezone.now() - timedelta(seconds=1))
    assert send_due_retries(CONSUMER) == 1
    assert send_due_retries(CONSUMER) == 0, "a retry in progress is not sent again at once"
    assert sent == [CONSUMER]


def test_the_longest_waiting_events_are_retried_first(rung: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr("socialapp.messaging.relay.deliver_again", lambda context, envelope: sent.append(envelope))
    envelopes = ring(*range(-BATCH_EVENTS - 1, 0))
    deliver(CONSUMER, envelopes=envelopes)
    now = timezone.now()
    for waited, envelope in enumerate(envelopes):
        FailedDelivery.objects.using(CONSUMER).filter(event_id=envelope.id).update(
            retry_at=now - timedelta(seconds=waited)
        )
    assert send_due_retries(CONSUMER) == BATCH_EVENTS
    assert {decode(text).id for text in sent} == {envelope.id for envelope in envelopes[1:]}


def test_the_relay_sends_the_outbox_once(broker: list[tuple[str, list[str]]]) -> None:
    ring(*range(CLAIM_BATCH + 20))
    assert relay_once(PRODUCER) == CLAIM_BATCH
    assert relay_once(PRODUCER) == 20
    assert relay_once(PRODUCER) == 0
    bells = [decode(text).event().bell_id for _, envelopes in broker for text in envelopes]
    assert sorted(bells) == list(range(CLAIM_BATCH + 20))


def test_batches_are_bounded_in_size_and_number(
    broker: list[tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [len(encode(envelope)) for envelope in ring(*range(10, 20))]
    monkeypatch.setattr("socialapp.messaging.transports.port.BATCH_CHARACTERS", max(sizes) * 4)
    assert relay_once(PRODUCER) == 10
    assert [len(batch) for _, batch in broker] == [4, 4, 2]
    broker.clear()
    monkeypatch.setattr("socialapp.messaging.transports.port.BATCH_EVENTS", 3)
    ring(*range(10, 20))
    relay_once(PRODUCER)
    assert [len(batch) for _, batch in broker] == [3, 3, 3, 1]


@pytest.mark.parametrize("keeps_order", [True, False])
def test_with_an_ordered_transport_one_relay_sends_at_a_time(
    broker: list[tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch, keeps_order: bool
) -> None:
    monkeypatch.setattr("socialapp.messaging.relay.keeps_order", lambda: keeps_order)
    ring(1, 2)
    held = OutboxEvent.objects.using(PRODUCER).order_by("id")[0]
    OutboxEvent.objects.using(PRODUCER).filter(id=held.id).update(
        claim=7, claimed_until=timezone.now() + timedelta(seconds=30)
    )
    assert relay_once(PRODUCER) == (0 if keeps_order else 1)
    OutboxEvent.objects.using(PRODUCER).filter(id=held.id).update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert relay_once(PRODUCER) == (2 if keeps_order else 1), "the relay was killed while it was sending"


def test_events_that_another_relay_claims_meanwhile_are_left_to_it(
    broker: list[tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = ring(1, 2)

    def read_before_another_claims(*arguments: Any, **options: Any) -> Any:
        rows = instances(*arguments, **options)
        soon = timezone.now() + timedelta(seconds=5)
        OutboxEvent.objects.using(PRODUCER).filter(id=first.id, claim=0).update(claim=7, claimed_until=soon)
        return rows

    monkeypatch.setattr("socialapp.messaging.relay.instances", read_before_another_claims)
    assert relay_once(PRODUCER) == 1
    assert [decode(text).id for _, envelopes in broker for text in envelopes] == [second.id]
    assert OutboxEvent.objects.using(PRODUCER).get(id=first.id).claim == 7


def test_an_early_id_that_commits_late_is_sent(broker: list[tuple[str, list[str]]]) -> None:
    first, _ = ring(1, 2)
    row = OutboxEvent.objects.using(PRODUCER).get(id=first.id)
    OutboxEvent.objects.using(PRODUCER).filter(id=first.id).delete()
    assert relay_once(PRODUCER) == 1
    row.save(using=PRODUCER, force_insert=True)
    assert relay_once(PRODUCER) == 1
    assert [decode(text).id for _, envelopes in broker for text in envelopes][-1] == first.id


def test_events_stay_in_the_outbox_while_the_broker_refuses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(kind: str, envelopes: list[str]) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr("socialapp.messaging.transports.port.publish_batch", refuse)
    ring(1, 2)
    with pytest.raises(ConnectionError):
        relay_once(PRODUCER)
    rows = OutboxEvent.objects.using(PRODUCER)
    assert rows.filter(state=OutboxEvent.State.NEW, claimed_until=None).count() == 2


def test_the_claim_of_a_dead_relay_expires(broker: list[tuple[str, list[str]]]) -> None:
    ring(1)
    rows = OutboxEvent.objects.using(PRODUCER)
    rows.update(claim=42, claimed_until=timezone.now() + timedelta(seconds=5))
    assert relay_once(PRODUCER) == 0
    rows.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert relay_once(PRODUCER) == 1


def test_a_clock_that_was_set_back_does_not_delay_retries_and_claims(
    rung: list[int], broker: list[tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr("socialapp.messaging.relay.deliver_again", lambda context, envelope: sent.append(context))
    deliver(CONSUMER, envelopes=ring(-1))
    soon = timezone.now() + timedelta(minutes=10)
    FailedDelivery.objects.using(CONSUMER).update(failed_at=soon, retry_at=soon + timedelta(seconds=1))
    assert [send_due_retries(CONSUMER) for _ in range(2)] == [1, 0]
    rows = OutboxEvent.objects.using(PRODUCER)
    rows.update(claim=42, claimed_until=soon)
    assert relay_once(PRODUCER) == 1, "no claim made now would last that long"
    lost = ring(2)[0].id
    relay_once(PRODUCER)
    rows.update(sent_at=soon, created_at=soon)
    assert reconcile(PRODUCER) == (1, 1)
    assert rows.get(state=OutboxEvent.State.NEW).id == lost


def test_the_reconciler_sends_again_what_the_broker_lost(rung: list[int], broker: list[tuple[str, list[str]]]) -> None:
    arrived, lost = ring(1, 2)
    relay_once(PRODUCER)
    deliver(CONSUMER, envelopes=[arrived])
    rows = OutboxEvent.objects.using(PRODUCER)
    rows.update(sent_at=timezone.now() - timedelta(minutes=1))
    assert reconcile(PRODUCER) == (1, 1)
    assert rows.get(id=arrived.id).state == OutboxEvent.State.CONFIRMED
    assert rows.get(id=lost.id).state == OutboxEvent.State.NEW
    relay_once(PRODUCER)
    deliver(CONSUMER, envelopes=[decode(broker[-1][1][0])])
    assert rung == [1, 2]


def test_an_unreadable_envelope_does_not_block_its_neighbours(rung: list[int]) -> None:
    from socialapp.messaging.tasks import deliver_batch

    first, last = (encode(envelope) for envelope in ring(1, 2))
    deliver_batch([first, '{"id": "damaged', last], CONSUMER)
    assert sorted(rung) == [1, 2]


def test_the_reconciler_backs_off_while_events_are_still_missing(
    rung: list[int], broker: list[tuple[str, list[str]]]
) -> None:
    """A consumer that has fallen behind must not be sent more and more of the same events."""
    (envelope,) = ring(1)
    relay_once(PRODUCER)
    row = OutboxEvent.objects.using(PRODUCER).filter(id=envelope.id)
    now = timezone.now()
    row.update(created_at=now - timedelta(seconds=90), sent_at=now - timedelta(seconds=40))
    assert reconcile(PRODUCER) == (0, 0), "it was last sent when it was 50 s old: 40 s are too short"
    row.update(created_at=now - timedelta(seconds=95), sent_at=now - timedelta(seconds=50))
    assert reconcile(PRODUCER) == (0, 1)
    relay_once(PRODUCER)
    row.update(created_at=now - timedelta(days=2), sent_at=now - timedelta(seconds=121))
    assert reconcile(PRODUCER) == (0, 1), "two minutes at most"


def test_a_dead_letter_counts_as_confirmed(rung: list[int], broker: list[tuple[str, list[str]]]) -> None:
    deliver(CONSUMER, envelopes=ring(-1))
    relay_once(PRODUCER)
    OutboxEvent.objects.using(PRODUCER).update(sent_at=timezone.now() - timedelta(minutes=1))
    assert reconcile(PRODUCER) == (1, 0)


def test_only_confirmed_events_are_pruned(broker: list[tuple[str, list[str]]]) -> None:
    ring(1, 2, 3)
    relay_once(PRODUCER)
    rows = OutboxEvent.objects.using(PRODUCER)
    long_ago = timezone.now() - timedelta(days=400)
    rows.update(sent_at=long_ago)
    confirmed = rows.order_by("id")[0].id
    rows.filter(id=confirmed).update(state=OutboxEvent.State.CONFIRMED)
    assert prune(PRODUCER) == 1
    assert confirmed not in rows.values_list("id", flat=True)
    assert rows.count() == 2


def test_a_call_to_another_context_inside_a_handler_transaction_is_refused(drain: Callable[[], int]) -> None:
    from socialapp.contracts.messaging import Inbox
    from socialapp.rpc.calls import CallInTransaction, client

    with atomic(CONSUMER), pytest.raises(CallInTransaction):
        client(Inbox, context=PRODUCER).missing(events=[])
    assert client(Inbox, context=PRODUCER).missing(events=[]) == []


def test_fields_that_a_newer_release_added_to_an_event_are_ignored(rung: list[int]) -> None:
    (envelope,) = ring(3)
    newer = json.loads(encode(envelope))
    newer["data"]["loudness"] = {"decibel": 90}
    newer["severity"] = "high"
    deliver(CONSUMER, envelopes=[decode(json.dumps(newer))])
    assert rung == [3]


def test_an_event_type_of_a_newer_release_is_never_confirmed(
    rung: list[int], broker: list[tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (envelope,) = ring(1)
    relay_once(PRODUCER)
    rows = OutboxEvent.objects.using(PRODUCER)
    rows.update(sent_at=timezone.now() - timedelta(minutes=1))
    with monkeypatch.context() as before:
        before.delitem(EVENTS, envelope.type)
        before.delitem(registry._handlers, (CONSUMER, envelope.type))
        deliver(CONSUMER, envelopes=[envelope])
        assert reconcile(PRODUCER) == (0, 1)
    assert not FailedDelivery.objects.using(CONSUMER).exists(), "no retry: the event is not for this release"
    relay_once(PRODUCER)
    deliver(CONSUMER, envelopes=[decode(broker[-1][1][0])])
    rows.update(sent_at=timezone.now() - timedelta(minutes=5))
    assert (rung, reconcile(PRODUCER)) == ([1], (1, 0))


def test_a_handler_may_gather_before_its_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bool, int]] = []
    key = (CONSUMER, "metrics.bell_rung.v1")

    def gather(bell: BellRung) -> int:
        from socialapp.core.db import open_transactions

        seen.append((bool(open_transactions()), bell.bell_id))
        return bell.bell_id * 2

    def handle(bell: BellRung, doubled: int) -> None:
        assert transaction.get_connection(CONSUMER).in_atomic_block
        seen.append((True, doubled))

    monkeypatch.setitem(registry._handlers, key, [Handler(f"{CONSUMER}.handle", CONSUMER, key[1], handle, gather)])
    deliver(CONSUMER, envelopes=ring(4))
    assert seen == [(False, 4), (True, 8)]


def test_a_batch_is_delivered_together_and_one_by_one_after_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[tuple[list[int], list[int]]] = []
    key = (CONSUMER, "metrics.bell_rung.v1")

    def gather(bells: list[BellRung]) -> list[int]:
        return [bell.bell_id * 2 for bell in bells]

    def handle(bells: list[BellRung], doubled: list[int]) -> None:
        calls.append(([bell.bell_id for bell in bells], doubled))
        if any(bell.bell_id < 0 for bell in bells):
            raise ValueError("cracked bell")

    handler = Handler(f"{CONSUMER}.handle", CONSUMER, key[1], handle, gather, together=True)
    monkeypatch.setitem(registry._handlers, key, [handler])
    good, cracked = ring(1, 2, 3), ring(4, -5, 6)
    deliver(CONSUMER, envelopes=[good[0]])
    deliver(CONSUMER, envelopes=[*good, good[1]])
    assert calls == [([1], [2]), ([2, 3], [4, 6])], "an event that was already handled is left out"
    calls.clear()
    deliver(CONSUMER, envelopes=cracked)
    assert calls[0] == ([4, -5, 6], [8, -10, 12])
    assert calls[-3:] == [([4], [8]), ([-5], [-10]), ([6], [12])]
    handled = InboxEntry.objects.using(CONSUMER).filter(handler=handler.name).values_list("event_id", flat=True)
    assert sorted(handled) == [one.id for one in (*good, cracked[0], cracked[2])]
    assert [row.event_id for row in FailedDelivery.objects.using(CONSUMER).all()] == [cracked[1].id]


def test_events_of_a_batch_keep_their_own_request_id(monkeypatch: pytest.MonkeyPatch) -> None:
    key = (CONSUMER, "metrics.bell_rung.v1")
    seen: list[tuple[int, str | None]] = []

    def handle(bells: list[BellRung]) -> None:
        for bell in bells:
            with caused_by(bell):
                seen.append((bell.bell_id, structlog.contextvars.get_contextvars().get("request_id")))

    monkeypatch.setitem(
        registry._handlers, key, [Handler(f"{CONSUMER}.handle", CONSUMER, key[1], handle, None, together=True)]
    )
    bells = []
    for number in (1, 2):
        with structlog.contextvars.bound_contextvars(request_id=f"request-{number}"):
            bells += ring(number)
    deliver(CONSUMER, envelopes=bells)
    assert seen == [(1, "request-1"), (2, "request-2")]
