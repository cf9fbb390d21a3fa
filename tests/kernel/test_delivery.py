"""Delivery: each event takes effect once, and a poison event does not hold up its neighbors."""

import json
import random
from collections.abc import Callable

import pytest
import structlog
from django.db import transaction
from django.utils import timezone

from socialapp.core.db import atomic
from socialapp.core.errors import Unavailable
from socialapp.messaging import registry
from socialapp.messaging.delivery import OUTAGE_PAUSES, RETRY_PAUSES, caused_by, deliver
from socialapp.messaging.envelope import decode, encode
from socialapp.messaging.models import FailedDelivery, InboxEntry
from socialapp.messaging.registry import Handler
from tests.conftest import ALL_CONTEXTS
from tests.kernel.bells import CONSUMER, PRODUCER, BellRung, ring

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_shuffled_and_duplicate_events_take_effect_once(rung: list[int]) -> None:
    envelopes = ring(*range(1, 51)) * 3
    random.Random(1).shuffle(envelopes)
    for start in range(0, len(envelopes), 7):
        deliver(CONSUMER, envelopes=envelopes[start : start + 7])
    assert sorted(rung) == list(range(1, 51))
    assert InboxEntry.objects.using(CONSUMER).count() == 50


def test_a_poison_event_is_isolated_and_its_neighbors_are_delivered(rung: list[int]) -> None:
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


def test_an_unreadable_envelope_does_not_block_its_neighbors(rung: list[int]) -> None:
    from socialapp.messaging.tasks import deliver_batch

    first, last = (encode(envelope) for envelope in ring(1, 2))
    deliver_batch([first, '{"id": "damaged', last], CONSUMER)
    assert sorted(rung) == [1, 2]


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
