"""The registry of handlers by event, filled by `@handles` in the contexts' handlers.py."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from socialapp.contracts.base import event_type
from socialapp.core.contexts import context_of_module

F = TypeVar("F", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class Handler:
    """A function that handles one type of event for one context."""

    name: str
    context: str
    event: str
    run: Callable[..., None]
    gather: Callable[[Any], Any] | None
    together: bool = False


_handlers: dict[tuple[str, str], list[Handler]] = defaultdict(list)


def handles(*events: type, gather: Callable[[Any], Any] | None = None, together: bool = False) -> Callable[[F], F]:
    """Registers a handler for `events`.

    It runs inside a transaction on its own context's database, together with its inbox entry, and must give the
    same state when run twice, late and out of order. It may not call other contexts; `gather(event)` may: it runs
    before the transaction and its result is the handler's second argument. The inbox knows a handler by the name of
    its function: a renamed one is new to it, and gets the events that outboxes still keep once more.

    With `together` both take a list of events: all that arrived at once, so that they share statements. What such a
    handler publishes it publishes `with caused_by(event)`. If it fails, the events are delivered one by one.
    """

    def register(function: F) -> F:
        context = context_of_module(function.__module__)
        for event in events:
            declared = event_type(event)
            handler = Handler(f"{context}.{function.__name__}", context, declared.name, function, gather, together)
            _handlers[(context, declared.name)].append(handler)
        return function

    return register


def handlers_of(context: str, *, event: str) -> list[Handler]:
    """The handlers of `context` for events of this type."""
    return _handlers.get((context, event), [])


def events_of(context: str) -> list[str]:
    """The types of event that `context` handles, sorted: its queue is bound to these."""
    return sorted(event for owner, event in _handlers if owner == context)
