"""Compares all derived data with its source, context by context."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from socialapp.contracts.drift import DriftChecks, DriftPage
from socialapp.contracts.messaging import Inbox
from socialapp.rpc.calls import client

BATCH = 200


def verify(context: str, *, repair: bool) -> Iterator[DriftPage]:
    """The steps of one context, in small calls; Unavailable if the context or one of its sources does not respond."""
    after: str | None = ""
    while after is not None:
        checked = client(DriftChecks, context=context).verify(repair=repair, after=after, limit=BATCH)
        yield checked
        after = checked.next


def events_in_flight(contexts: Iterable[str]) -> set[int]:
    """What events published or missed by these contexts are about: data derived from them may still change by itself.

    Call this last, after reading the source and the derived data: every change that only one of them has is included
    here, because an event does not count as arrived until it is some seconds old.
    """
    return {about for context in contexts for about in client(Inbox, context=context).in_flight()}


class Comparison(Protocol):
    """Compares the next items after an id; returns the result, and the id to continue from, or None at the end."""

    def __call__(self, *, after: int, limit: int) -> tuple[DriftPage, int | None]: ...


def run_comparisons(comparisons: Mapping[str, Comparison], *, after: str, limit: int) -> DriftPage:
    """One step of a context that compares several kinds of data one after the other.

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
