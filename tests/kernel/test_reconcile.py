"""The reconciler: what the broker lost is sent again, and only what everybody has handled is confirmed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from socialapp.contracts.base import EVENTS
from socialapp.messaging import registry
from socialapp.messaging.delivery import deliver
from socialapp.messaging.envelope import decode
from socialapp.messaging.models import FailedDelivery, OutboxEvent
from socialapp.messaging.reconcile import prune, reconcile
from socialapp.messaging.relay import relay_once
from tests.conftest import ALL_CONTEXTS
from tests.kernel.bells import CONSUMER, PRODUCER, ring

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


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
