"""Compares all derived data with its source, context by context."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from socialapp.contracts.drift import Drift, DriftChecks, DriftPage
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The result of comparing some items, see `DriftPage`; `next_id` is the id to continue after, None at the end."""

    compared: int
    in_flight: int = 0
    drifts: list[Drift]
    next_id: int | None


class Comparison(Protocol):
    """Compares up to `limit` items after an id."""

    def __call__(self, *, after: int, limit: int) -> Compared: ...


def next_after(ids: Sequence[int], *, limit: int) -> int | None:
    """The id to continue after, or None if these ascending ids are the last, as there are fewer than `limit`."""
    return ids[-1] if len(ids) == limit else None


def run_comparisons(comparisons: Mapping[str, Comparison], *, after: str, limit: int) -> DriftPage:
    """One step of a context that compares several kinds of data one after the other.

    The position between steps is written as "name:id".
    """
    names = list(comparisons)
    name, _, position = after.partition(":")
    name = name or names[0]
    found = comparisons[name](after=int(position or 0), limit=limit)
    if found.next_id is not None:
        following: str | None = f"{name}:{found.next_id}"
    else:
        place = names.index(name) + 1
        following = f"{names[place]}:0" if place < len(names) else None
    return DriftPage(compared=found.compared, in_flight=found.in_flight, drifts=found.drifts, next=following)
