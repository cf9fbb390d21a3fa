"""The trace of one request through the bus, assembled from the tables of all contexts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from socialapp.contracts.messaging import EventRef, Published, Received, RequestTraces
from socialapp.core.contexts import CONTEXTS
from socialapp.core.errors import Unavailable
from socialapp.messaging.envelope import decode
from socialapp.messaging.models import FailedDelivery, InboxEntry, OutboxEvent
from socialapp.messaging.registry import handlers_of
from socialapp.rpc.calls import client

_LISTED = 10_000
_ASKED_AT_ONCE = 1000


@dataclass(slots=True)
class Reception:
    """The state of an event at one handler: handled, failed (retried), dead, or waiting."""

    context: str
    handler: str
    outcome: str
    at: datetime | None
    attempts: int
    error: str


@dataclass(slots=True)
class Step:
    """One event: when it was published and sent, its handlers, and the events that it caused."""

    event: int
    type: str
    subject: str
    context: str
    state: str
    published_at: datetime
    sent_at: datetime | None
    received: list[Reception] = field(default_factory=list)
    caused: list["Step"] = field(default_factory=list)


class ContextRequestTraces:
    """The `RequestTraces` contract for one context."""

    def __init__(self, context: str) -> None:
        self.context = context

    def published(self, *, request_id: str) -> list[Published]:
        """See `RequestTraces.published`; one query."""
        rows = OutboxEvent.objects.using(self.context).filter(correlation=request_id).order_by("id")[:_LISTED]
        return [_published(row) for row in rows]

    def received(self, *, events: list[EventRef]) -> list[Received]:
        """See `RequestTraces.received`; two queries."""
        ids = [event.id for event in events]
        handled = InboxEntry.objects.using(self.context).filter(event_id__in=ids).order_by("handled_at", "id")
        failed = FailedDelivery.objects.using(self.context).filter(event_id__in=ids).order_by("id")
        found = [*map(_handled, handled), *map(_failed, failed)]
        known = {(one.event, one.handler) for one in found}
        waiting = [
            Received(event=event.id, handler=handler.name, outcome="waiting", at=None, attempts=0, error="")
            for event in events
            for handler in handlers_of(self.context, event=event.type)
            if (event.id, handler.name) not in known
        ]
        return found + waiting


def _published(row: OutboxEvent) -> Published:
    envelope = decode(row.envelope)
    return Published(
        id=row.id,
        type=row.type,
        subject=row.subject,
        state=OutboxEvent.State(row.state).name.lower(),
        published_at=envelope.time,
        sent_at=row.sent_at,
        cause=int(envelope.causationid or 0),
    )


def _handled(row: InboxEntry) -> Received:
    return Received(event=row.event_id, handler=row.handler, outcome="handled", at=row.handled_at, attempts=0, error="")


def _failed(row: FailedDelivery) -> Received:
    return Received(
        event=row.event_id,
        handler=row.handler,
        outcome="dead" if row.dead else "failed",
        at=row.failed_at,
        attempts=row.attempts,
        error=row.error,
    )


def request_trace(request_id: str) -> tuple[list[Step], list[str]]:
    """The events that a request published itself, each with its consequences; and the contexts that did not answer."""
    silent: set[str] = set()
    steps: dict[int, Step] = {}
    causes: dict[int, int] = {}
    for context in CONTEXTS:
        try:
            for event in client(RequestTraces, context=context).published(request_id=request_id):
                steps[event.id] = _step(context, event)
                causes[event.id] = event.cause
        except Unavailable:
            silent.add(context)
    for context in CONTEXTS:
        try:
            _add_receptions(context, steps)
        except Unavailable:
            silent.add(context)
    roots: list[Step] = []
    for event_id, step in sorted(steps.items()):
        cause = steps.get(causes[event_id])
        (cause.caused if cause else roots).append(step)
    return roots, sorted(silent)


def _step(context: str, event: Published) -> Step:
    return Step(event.id, event.type, event.subject, context, event.state, event.published_at, event.sent_at)


def _add_receptions(context: str, steps: dict[int, Step]) -> None:
    events = [EventRef(id=step.event, type=step.type) for step in steps.values()]
    for start in range(0, len(events), _ASKED_AT_ONCE):
        for one in client(RequestTraces, context=context).received(events=events[start : start + _ASKED_AT_ONCE]):
            reception = Reception(context, one.handler, one.outcome, one.at, one.attempts, one.error)
            steps[one.event].received.append(reception)


def lines(steps: Iterable[Step], *, depth: int = 0) -> Iterable[str]:
    """The steps as indented lines for people."""
    for step in steps:
        margin = "  " * depth
        sent = f"sent {_clock(step.sent_at)}" if step.sent_at else "not sent yet"
        text = f"{step.type} {step.subject}  event {step.event}, {sent}, {step.state}"
        yield f"{margin}{_clock(step.published_at)}  {text}"
        for reception in step.received:
            yield f"{margin}  {_described(reception)}"
        yield from lines(step.caused, depth=depth + 2)


def _described(reception: Reception) -> str:
    text = f"{_clock(reception.at)}  {reception.outcome} by {reception.handler}"
    return f"{text}, {reception.attempts} times: {reception.error}" if reception.error else text


def _clock(at: datetime | None) -> str:
    return at.strftime("%H:%M:%S.%f")[:-3] if at else "--:--:--.---"
