"""Pagination over lists with invisible posts: reads on until the page is full, in a bounded number of rounds."""

from collections.abc import Callable, Sequence

from apps.posts.access.visibility import VisiblePost
from apps.posts.queries import Entry, Span
from socialapp.core.pages import Page, PageRequest

_ROUNDS = 5
_MOST_ENTRIES = 400


Read = Callable[[Span], Sequence[Entry]]
Filter = Callable[[Sequence[Entry]], Sequence[VisiblePost]]


def fill_page(page: PageRequest, *, read: Read, visible: Filter) -> Page[VisiblePost]:
    """A page of the entries found by `read` that `visible` keeps.

    Reads twice as much in every further round. If the rounds end before the page is full, the next page starts where
    reading stopped: a page may be short, but nothing is skipped.
    """
    at = int(page.position[0]) if page.position else None
    found: list[VisiblePost] = []
    more = True
    for attempt in range(_ROUNDS):
        wanted = min((page.limit + 1) << attempt, _MOST_ENTRIES)
        entries = read(Span(at, wanted, page.backwards))
        found.extend(visible(entries))
        more = len(entries) == wanted
        if not more or len(found) > page.limit:
            break
        at = entries[-1].position
    if len(found) > page.limit:
        more, at = True, found[page.limit - 1].position
    return _page(page, found[: page.limit], end=at if more else None)


def _page(page: PageRequest, shown: list[VisiblePost], *, end: int | None) -> Page[VisiblePost]:
    """`end` is where the next page in reading direction starts, None if there is none."""
    start = (shown[0].position,) if shown else page.position
    beyond = None if end is None else (end,)
    if page.backwards:
        return Page(shown[::-1], next=start, previous=beyond)
    return Page(shown, next=beyond, previous=start if page.position else None)
