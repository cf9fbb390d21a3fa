"""Publishing: an event is committed with the change it describes, or not at all."""

import pytest

from socialapp.core.db import atomic
from socialapp.messaging.models import OutboxEvent
from socialapp.messaging.publish import EventTooLarge, PublishOutsideTransaction, publish
from tests.conftest import ALL_CONTEXTS
from tests.kernel.bells import CONSUMER, PRODUCER, BellRung, ring

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


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
