"""The way of one request through the bus, put together from what the tables of the served contexts say."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from socialapp.bus.envelope import Envelope, decode
from socialapp.bus.models import FailedDelivery, InboxEntry, OutboxEvent
from socialapp.bus.registry import handlers_of
from socialapp.contexts import served

_LISTED = 10_000


@dataclass(slots=True)
class Reception:
    """What one handler has made of an event: handled, failed (tried again), dead, or waiting."""

    context: str
    handler: str
    outcome: str
    at: datetime | None = None
    attempts: int = 0
    error: str = ""


@dataclass(slots=True)
class Step:
    """One event: when it was published and sent, who took it, and the events that came of it."""

    event: int
    type: str
    subject: str
    context: str
    state: str
    published_at: datetime
    sent_at: datetime | None
    received: list[Reception] = field(default_factory=list)
    caused: list["Step"] = field(default_factory=list)


def journey(request_id: str) -> list[Step]:
    """The events that a request published itself, each with what came of it; at most ten thousand a context.

    Served contexts only: the others keep their own tables. Three queries a context.
    """
    steps: dict[int, Step] = {}
    causes: dict[int, int] = {}
    for context in served():
        rows = OutboxEvent.objects.using(context.name).filter(correlation=request_id).order_by("id")[:_LISTED]
        for row in rows:
            envelope = decode(row.envelope)
            steps[row.id] = _step(context.name, row, envelope)
            causes[row.id] = int(envelope.causationid or 0)
    for context in served():
        _add_receptions(context.name, steps)
    roots: list[Step] = []
    for event_id, step in sorted(steps.items()):
        cause = steps.get(causes[event_id])
        (cause.caused if cause else roots).append(step)
    return roots


def _step(context: str, row: OutboxEvent, envelope: Envelope) -> Step:
    state = OutboxEvent.State(row.state).name.lower()
    return Step(row.id, row.type, row.subject, context, state, envelope.time, row.sent_at)


def _add_receptions(context: str, steps: dict[int, Step]) -> None:
    known: set[tuple[int, str]] = set()
    for entry in InboxEntry.objects.using(context).filter(event_id__in=steps).order_by("handled_at", "id"):
        known.add((entry.event_id, entry.handler))
        steps[entry.event_id].received.append(Reception(context, entry.handler, "handled", entry.handled_at))
    for row in FailedDelivery.objects.using(context).filter(event_id__in=steps).order_by("id"):
        known.add((row.event_id, row.handler))
        outcome = "dead" if row.dead else "failed"
        steps[row.event_id].received.append(
            Reception(context, row.handler, outcome, row.failed_at, row.attempts, row.error)
        )
    for step in steps.values():
        for handler in handlers_of(context, step.type):
            if (step.event, handler.name) not in known:
                step.received.append(Reception(context, handler.name, "waiting"))


def lines(steps: Iterable[Step], *, depth: int = 0) -> Iterable[str]:
    """The steps as indented lines for people."""
    for step in steps:
        margin = "  " * depth
        sent = f"sent {_clock(step.sent_at)}" if step.sent_at else "not sent yet"
        told = f"{step.type} {step.subject}  event {step.event}, {sent}, {step.state}"
        yield f"{margin}{_clock(step.published_at)}  {told}"
        for reception in step.received:
            yield f"{margin}  {_told(reception)}"
        yield from lines(step.caused, depth=depth + 2)


def _told(reception: Reception) -> str:
    text = f"{_clock(reception.at)}  {reception.outcome} by {reception.handler}"
    return f"{text}, {reception.attempts} times: {reception.error}" if reception.error else text


def _clock(at: datetime | None) -> str:
    return at.strftime("%H:%M:%S.%f")[:-3] if at else "--:--:--.---"
