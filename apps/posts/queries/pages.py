"""Pages of posts of which some may not be seen: reads on until the page is full, in a bounded number of rounds."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from django.db.models import Model, QuerySet

from apps.posts.queries.access import Seen
from socialapp.core.pages import Page, PageRequest

_ROUNDS = 5
_MOST_ENTRIES = 400


class Entry(NamedTuple):
    """A place in a list: its position in the order, and the post that stands there."""

    position: int
    post_id: int
    reposter_ids: frozenset[int] = frozenset()


M = TypeVar("M", bound=Model)
Read = Callable[[int | None, int], Sequence[Entry]]
See = Callable[[Sequence[Entry]], Sequence[Seen]]


def fill_page(page: PageRequest, *, read: Read, see: See) -> Page[Seen]:
    """A page of what `see` lets through of what `read(position, count)` finds beyond a position, in reading direction.

    Reads twice as much in every further round. When the rounds are over before the page is full, the next page starts
    where reading has stopped: so a page may be short, but nothing is skipped.
    """
    at = int(page.position[0]) if page.position else None
    found: list[Seen] = []
    more = True
    for attempt in range(_ROUNDS):
        wanted = min((page.limit + 1) << attempt, _MOST_ENTRIES)
        entries = read(at, wanted)
        found.extend(see(entries))
        more = len(entries) == wanted
        if not more or len(found) > page.limit:
            break
        at = entries[-1].position
    if len(found) > page.limit:
        more, at = True, found[page.limit - 1].position
    return _page(page, found[: page.limit], end=at if more else None)


def beyond(rows: QuerySet[M], field: str, position: int | None, *, backwards: bool) -> QuerySet[M]:
    """The rows past a position of a list that goes down by `field`, in reading direction."""
    if position is not None:
        rows = rows.filter(**{f"{field}__{'gt' if backwards else 'lt'}": position})
    return rows.order_by(field if backwards else f"-{field}")


def _page(page: PageRequest, shown: list[Seen], *, end: int | None) -> Page[Seen]:
    """`end` is where the next page in reading direction starts (None: there is none)."""
    start = (shown[0].position,) if shown else page.position
    beyond = None if end is None else (end,)
    if page.backwards:
        return Page(shown[::-1], next=start, previous=beyond)
    return Page(shown, next=beyond, previous=start if page.position else None)
