"""Compares everything that is made from elsewhere with its source, context by context."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from socialapp.contracts.drift import DriftChecks, DriftPage
from socialapp.contracts.messaging import Inbox
from socialapp.rpc.calls import client

BATCH = 200


def verify(context: str, *, repair: bool) -> Iterator[DriftPage]:
    """The steps of one context, in small calls; Unavailable when it, or one of its sources, does not answer."""
    after: str | None = ""
    while after is not None:
        checked = client(DriftChecks, context=context).verify(repair=repair, after=after, limit=BATCH)
        yield checked
        after = checked.next


def events_in_flight(contexts: Iterable[str]) -> set[int]:
    """What events published or missed by these contexts are about: what was made from them may still change by itself.

    Ask this last, after the source and what was made from it: every change that only one of them has shows here, as an
    event is not taken for arrived before it is some seconds old.
    """
    return {about for context in contexts for about in client(Inbox, context=context).in_flight()}


class Comparison(Protocol):
    """Compares the next things after an id: what it found, and the id to go on from, or None at its end."""

    def __call__(self, *, after: int, limit: int) -> tuple[DriftPage, int | None]: ...


def run_comparisons(comparisons: Mapping[str, Comparison], *, after: str, limit: int) -> DriftPage:
    """One step of a context that compares several things one after the other.

    The position between steps is written as "name:id".
    """
    names = list(comparisons)
    name, _, position = after.partition(":")
    name = name or names[0]
    checked, next_id = comparisons[name](after=int(position or 0), limit=limit)
    if next_id is not None:
        following: str | None = f"{name}:{next_id}"
    else:
        place = names.index(name) + 1
        following = f"{names[place]}:0" if place < len(names) else None
    return DriftPage(compared=checked.compared, in_flight=checked.in_flight, drifts=checked.drifts, next=following)
