"""The relay: every event of the outbox is sent, and due retries are, whatever other relays and the clock do."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.utils import timezone

from socialapp.core.ids import first_id_at
from socialapp.core.sql import instances
from socialapp.messaging.delivery import RETRY_PAUSES, deliver
from socialapp.messaging.envelope import decode, encode
from socialapp.messaging.models import FailedDelivery, OutboxEvent
from socialapp.messaging.reconcile import reconcile
from socialapp.messaging.relay import CLAIM_BATCH, relay_once, send_due_retries
from socialapp.messaging.transports.port import BATCH_EVENTS
from socialapp.telemetry.metrics import exposition
from tests.conftest import ALL_CONTEXTS
from tests.kernel.bells import CONSUMER, PRODUCER, ring

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


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
